"""Measure lists of a large table: the buffers that each filter reads, and its time over HTTP."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from bench.load import Measured, body, connection, loop
from bench.machine import Machine, machine
from bench.results import Results
from bench.servers import DATABASE
from embedded.demo_ids import COMMERCE_ID, TENANT_ID

TABLES = ("scheduled_activities", "target_users", "activity_attributes", "status_events", "resolution_attempts")

FILL = """
INSERT INTO {table} ({columns})
SELECT {values} FROM {table} AS made, generate_series(1, %(rows)s) AS n
WHERE made.tenant_id = %(tenant)s AND made.{id} = %(made)s::uuid
"""
"""Copies an activity that the API has created, so that the copies have its size."""

CHANGED = {
    "activity_id": "md5(%(made)s::text || n)::uuid",
    "idempotency_key": "'made-' || n",
    "scheduled_at": "made.scheduled_at + n * interval '1 minute'",
    "created_at": "made.created_at - n * interval '1 second'",
    "status": "CASE WHEN n % 10 = 0 THEN 'UNRESOLVED' ELSE made.status END",
    "channel": "(ARRAY['WHATSAPP','EMAIL','SMS','PUSH'])[1 + n % 4]",
    "run_id": "gen_random_uuid()::text",
}


async def run(results: Results, *, rounds: int, seconds: float, rows: int) -> None:
    """Fill the tables with copies, then repeat each query."""
    with machine() as servers:
        url = servers.start_ours()
        async with connection(url, servers.headers()) as opened:
            _, answer = await opened.post("/api/activities", json.dumps(body()).encode())
        made = UUID(json.loads(answer)["id"])
        _fill(servers, made, rows)
        for table in TABLES:
            results.add("bytes per activity in PostgreSQL", table, _size(servers, table) / rows, "with indices", "B")
        queries = _queries(json.loads(answer))
        for query in queries.values():
            await _ask(url, servers, query, seconds)
        for _ in range(rounds):
            for name, query in queries.items():
                before = servers.statements()
                measured = await _ask(url, servers, query, seconds)
                executed, touched = (now - then for now, then in zip(servers.statements(), before, strict=True))
                asked = len(measured.latencies)
                results.add(f"reading at {rows:,} rows", name, measured.percentile(0.5), "p50", "ms")
                results.add(f"reading at {rows:,} rows", name, executed / asked, "statements", "")
                results.add(f"reading at {rows:,} rows", name, touched / asked, "buffers", "of 8 kB")


def _queries(made: dict[str, str]) -> dict[str, str]:
    from_, to = datetime.now(UTC) + timedelta(days=31), datetime.now(UTC) + timedelta(days=32)
    between = f"scheduled_from={from_:%Y-%m-%dT%H:%M:%SZ}&scheduled_to={to:%Y-%m-%dT%H:%M:%SZ}"
    return {
        "no filter": "",
        "status": "status=UNRESOLVED",
        "status and channel": "status=READY&channel=EMAIL",
        "scheduled between": between,
        "commerce": f"commerce_id={COMMERCE_ID}&sort=scheduled_at",
        "reason": "reason=monthly_promotion",
        "key": f"idempotency_key={made['idempotencyKey']}",
        "search": "search=made-77",
        "late": "late=true",
        "page 40": "page=40",
    }


def _fill(servers: Machine, made: UUID, rows: int) -> None:
    """Copy the activity with its parts, then update the statistics, as autovacuum would."""
    with servers.postgres.connect(DATABASE) as opened:
        for table in TABLES:
            names = [
                name
                for (name,) in opened.execute(
                    "SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table]
                )
            ]
            whole = table == "scheduled_activities"
            changed = CHANGED | {"id": CHANGED["activity_id"] if whole else "gen_random_uuid()"}
            if not whole:
                changed = {name: changed[name] for name in ("activity_id", "id")}
            values = [changed.get(name, f"made.{name}") for name in names]
            statement = FILL.format(
                table=table,
                columns=", ".join(f'"{name}"' for name in names),
                values=", ".join(values),
                id="id" if whole else "activity_id",
            )
            opened.execute(
                statement.replace("n % 10", "n %% 10").replace("n % 4", "n %% 4"),
                {"rows": rows, "tenant": TENANT_ID, "made": str(made)},
            )
        opened.execute("VACUUM ANALYZE")


def _size(servers: Machine, table: str) -> int:
    with servers.postgres.connect(DATABASE) as opened:
        (size,) = opened.execute("SELECT pg_total_relation_size(%s::text::regclass)", [table]).fetchone() or (0,)
    return int(size)


async def _ask(url: str, servers: Machine, query: str, seconds: float) -> Measured:
    async with connection(url, servers.headers()) as opened:

        async def ask() -> None:
            status, answer = await opened.get(f"/api/activities?{query}")
            if status != 200:  # noqa: PLR2004 - HTTP's own number
                raise RuntimeError(answer.decode())

        return await loop([ask], seconds)
