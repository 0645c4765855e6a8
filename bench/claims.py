"""Measure the rate of claims over HTTP: one executor and eight at once, one activity a claim and fifty."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

from bench.load import Call, body, connection, loop
from bench.machine import Machine, machine
from bench.results import Results
from bench.servers import DATABASE, wait_for
from embedded.demo_ids import TENANT_ID

FILL = """
INSERT INTO scheduled_activities ({columns})
SELECT {values} FROM scheduled_activities AS made, generate_series(1, %(rows)s) AS n
WHERE made.tenant_id = %(tenant)s AND made.id = %(made)s;
INSERT INTO target_users (tenant_id, activity_id, commerce_user_id, status, strategy, lock_reason, resolved_at)
SELECT made.tenant_id, copy.id, made.commerce_user_id, made.status, made.strategy, made.lock_reason, made.resolved_at
FROM target_users AS made, scheduled_activities AS copy
WHERE made.tenant_id = %(tenant)s AND made.activity_id = %(made)s
AND copy.tenant_id = %(tenant)s AND copy.id <> made.activity_id
"""
CHANGED = {"id": "gen_random_uuid()", "idempotency_key": "'due-' || n", "score": "mod(n, 10)"}
AGAIN = "UPDATE scheduled_activities SET status = 'DUE' WHERE status = 'DISPATCHED'; ANALYZE scheduled_activities"


async def run(results: Results, *, rounds: int, seconds: float, rows: int) -> None:
    """Fill the table with due activities, then claim them for the same time with each number of executors."""
    with machine() as servers:
        url = servers.start_ours()
        await fill_due(servers, url, rows)
        for _ in range(rounds):
            for claimers in (1, 8):
                for limit in (1, 50):
                    with servers.postgres.connect(DATABASE) as database:
                        database.execute(AGAIN)
                    await _claim(results, servers, url, claimers, limit, seconds)


async def fill_due(servers: Machine, url: str, rows: int) -> None:
    """Fill the table with copies of an activity that is due."""
    async with connection(url, servers.headers()) as opened:
        past = "2025-01-16T09:00:00.000Z"
        _, answer = await opened.post("/api/activities", json.dumps(body(scheduled_at=past)).encode())
    made = UUID(json.loads(answer)["id"])
    with servers.postgres.connect(DATABASE) as database:
        is_due = "SELECT FROM scheduled_activities WHERE status = 'DUE'"
        wait_for(lambda: database.execute(is_due).rowcount == 1)
        found = database.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'scheduled_activities'"
        )
        names = [name for (name,) in found]
        columns, values = ", ".join(names), ", ".join(CHANGED.get(name, f"made.{name}") for name in names)
        for statement in FILL.format(columns=columns, values=values).split(";"):
            database.execute(statement, {"rows": rows, "tenant": TENANT_ID, "made": made})


async def _claim(  # noqa: PLR0913, PLR0917 - the circumstances of a figure
    results: Results, servers: Machine, url: str, claimers: int, limit: int, seconds: float
) -> None:
    claimed: list[int] = []
    async with AsyncExitStack() as executors:
        calls = [await executors.enter_async_context(executor(servers, url, limit, claimed)) for _ in range(claimers)]
        measured = await loop(calls, seconds)
    name = f"{claimers} claimer{'s' if claimers > 1 else ''}, {limit} a claim"
    results.add("claims", name, measured.rate, "claims", "/s")
    results.add("claims", name, sum(claimed) / measured.seconds, "activities", "/s")
    results.add("claims", name, measured.percentile(0.5), "p50", "ms")


@asynccontextmanager
async def executor(servers: Machine, url: str, limit: int, claimed: list[int]) -> AsyncIterator[Call]:
    """Open an executor that claims `limit` activities per call, and adds their number to `claimed`."""
    wanted = {"channels": ["WHATSAPP"], "executor": "bench", "limit": limit, "lease_seconds": 3600}
    async with connection(url, servers.headers()) as opened:

        async def claim() -> None:
            _, answer = await opened.post("/api/executions/claim", json.dumps(wanted).encode())
            count = answer.count(b'"leaseToken"')
            if not count:
                raise RuntimeError(answer[:500].decode() or "no due activity is left: fill in more rows")
            claimed.append(count)

        yield claim
