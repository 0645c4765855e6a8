"""Measure the share of resolution in a creation, on the running stack: one caller, calls in turn.

    python -m bench.resolution_cost [rounds]

It reads $DATA_DIR/demo.json. A dry run is the whole resolution without Temporal, the row and the workflow; for a
commerce that doesn't exist it is rejected first. The difference of the two is the time of resolution.
"""

import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

CRITERIA = [
    {"type": "LAST_CONTACTED_SAME_CHANNEL", "config": {"within_days": 30}},
    {"type": "ROLE_MATCH", "config": {"role": "FINANCE"}},
]


def main() -> None:
    """Send each kind of request in turn, then print a line for each."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    demo = json.loads((Path(os.environ.get("DATA_DIR", ".embedded")) / "demo.json").read_text(encoding="utf-8"))
    headers = {"Authorization": f"Bearer {demo['TOKEN']}", "x-tenant-id": demo["TENANT_ID"]}
    durations: dict[str, list[float]] = {"rejected dry run": [], "dry run": [], "creation": []}
    with httpx.Client(base_url=demo["API_URL"], headers=headers, timeout=60) as http:
        for _ in range(rounds):
            durations["rejected dry run"].append(call(http, "/api/activities/explain", body(str(uuid4())), 404))
            durations["dry run"].append(call(http, "/api/activities/explain", body(demo["COMMERCE_ID"]), 200))
            durations["creation"].append(call(http, "/api/activities", body(demo["COMMERCE_ID"]), 201))
    p50 = {name: sorted(times)[len(times) // 2] * 1000 for name, times in durations.items()}
    for name, milliseconds in p50.items():
        print(f"{name}: p50 {milliseconds:.1f} ms")
    resolution = p50["dry run"] - p50["rejected dry run"]
    print(f"resolution: {resolution:.1f} ms, {resolution / p50['creation']:.0%} of a creation")


def call(http: httpx.Client, path: str, content: dict[str, Any], status: int) -> float:
    """Return the seconds of one call; exit if its status is another one."""
    started = time.perf_counter()
    answer = http.post(path, json=content)
    seconds = time.perf_counter() - started
    if answer.status_code != status:
        raise SystemExit(answer.text)
    return seconds


def body(commerce_id: str) -> dict[str, Any]:
    """Return a creation due in a month, with criteria and an attribute to resolve."""
    return {
        "type": "MESSAGE",
        "reason": "Promoción mensual",
        "channel": "WHATSAPP",
        "commerce_id": commerce_id,
        "idempotency_key": f"bench-{uuid4()}",
        "scheduled_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="milliseconds"),
        "target_criteria": CRITERIA,
        "attribute_keys": ["commerce_info"],
    }


if __name__ == "__main__":
    main()
