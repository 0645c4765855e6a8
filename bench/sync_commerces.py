"""Measure the sync of 100,000 commerces with the running stack: time and the API's memory.

    python -m bench.sync_commerces [commerces]

It reads $DATA_DIR/demo.json, and creates, repeats and changes commerces with fresh external ids in the demonstration's
other tenant.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil  # type: ignore[import-untyped]  # it publishes no types

PER_CALL = 1_000
USERS_EACH = 2


def commerce(prefix: str, number: int, tier: int) -> dict[str, Any]:
    """Return a commerce as an ERP sends it: an address, and two users with two contacts each."""
    people = [
        {
            "external_id": f"user-{person}",
            "name": f"Person {number}-{person}",
            "roles": ["OWNER"] if person == 0 else ["ORDERS", "FINANCE"],
            "contacts": [
                {"contact_type": "WHATSAPP", "value": f"+52555{number % 10_000_000:07}", "is_primary": True},
                {"contact_type": "EMAIL", "value": f"user{person}.{number}@example.com"},
            ],
        }
        for person in range(USERS_EACH)
    ]
    return {
        "external_id": f"{prefix}-{number:06}",
        "name": f"Store {number}",
        "tax_id": f"TAX{number}",
        "metadata": {"tier": tier},
        "addresses": [{"street": "Av. Juárez", "street_number": str(number), "city": "Puebla", "is_primary": True}],
        "users": people,
    }


def calls(prefix: str, count: int, tier: int) -> Iterator[bytes]:
    """Yield the bodies of the calls."""
    for start in range(0, count, PER_CALL):
        numbers = range(start, min(start + PER_CALL, count))
        yield json.dumps({"items": [commerce(prefix, number, tier) for number in numbers]}).encode()


def main() -> None:
    """Run three passes and print a line for each."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    demo = json.loads((Path(os.environ.get("DATA_DIR", ".embedded")) / "demo.json").read_text(encoding="utf-8"))
    api = server_process(urlsplit(demo["API_URL"]).port)
    headers = {
        "Authorization": f"Bearer {demo['OTHER_TENANT_TOKEN']}",
        "x-tenant-id": demo["OTHER_TENANT_ID"],
        "Content-Type": "application/json",
    }
    prefix = f"bench-{uuid4().hex[:8]}"
    with httpx.Client(base_url=demo["API_URL"], headers=headers, timeout=60) as http:
        for name, tier in (("created", 1), ("unchanged", 1), ("updated", 2)):
            print(run_pass(http, api, name, calls(prefix, count, tier)), flush=True)


def run_pass(http: httpx.Client, api: psutil.Process, name: str, bodies: Iterator[bytes]) -> str:
    """Send all bodies; returns a line with the counts of outcome `name`, the times and the memory."""
    before = largest = api.memory_info().rss
    durations, commerces = [], 0
    for body in bodies:
        started = time.perf_counter()
        answer = http.post("/api/commerces/sync", content=body).raise_for_status().json()
        durations.append(time.perf_counter() - started)
        commerces += answer[name]
        largest = max(largest, api.memory_info().rss)
    durations.sort()
    seconds = sum(durations)
    return (
        f"{name}: {commerces:,} commerces in {seconds:.0f} s, {commerces / seconds:,.0f} a second;"
        f" per call of {PER_CALL:,}: p50 {durations[len(durations) // 2]:.2f} s, longest {durations[-1]:.2f} s;"
        f" the API's memory {before / 2**20:.0f} → {largest / 2**20:.0f} MiB"
    )


def server_process(port: int | None) -> psutil.Process:
    """Return the process that listens on the port."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
            return psutil.Process(connection.pid)
    raise LookupError(port)


if __name__ == "__main__":
    main()
