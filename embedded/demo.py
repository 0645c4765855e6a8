"""Posts the contract's example, due in three seconds, and shows what becomes of it: `make demo`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from embedded.demo_file import contract_example
from embedded.stack_settings import read_settings

_EXECUTOR = Path(__file__).parents[1] / "examples" / "executor.py"
_DUE_IN = timedelta(seconds=3)
_PATIENCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.1


def main() -> None:
    """Show the answer, the change of status, and what the trail and the web UI know of it."""
    facts = _running_stack()
    headers = {"Authorization": f"Bearer {facts['token']}", "x-tenant-id": facts["tenantId"]}
    with httpx.Client(base_url=facts["baseUrl"], headers=headers, timeout=30, trust_env=False) as api:
        due_at = datetime.now(UTC) + _DUE_IN
        body = contract_example(facts, due_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        print(f"POST {facts['baseUrl']}/api/activities\n{json.dumps(body, indent=2)}\n")
        created = api.post("/api/activities", json=body)
        print(f"{created.status_code} {created.reason_phrase}\n{_indented(created)}\n")
        if created.status_code not in {httpx.codes.CREATED, httpx.codes.ACCEPTED}:
            sys.exit(1)
        _show_life(api, created.headers["Location"], facts)


def _running_stack() -> dict[str, str]:
    """Read what the running stack says of itself."""
    path = read_settings().data_dir / "demo.json"
    try:
        facts: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        sys.exit(f"{path} is not there: start the stack first, with make run, and wait until it is ready")
    return facts


def _indented(answer: httpx.Response) -> str:
    """Write the answer's JSON for people, or whatever else it is."""
    try:
        return json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text


def _show_life(api: httpx.Client, location: str, facts: Mapping[str, str]) -> None:
    """Follow one activity until it is due, hand it to an executor, then tell the story from the trail."""
    activity = _follow(api, location)
    print(f"\nscheduled for {activity['scheduledAt']}, marked at {activity['markedAt']}", end="")
    print(f": {activity['latenessMs']} ms late\n")
    _execute(api, location, facts)
    for event in api.get(f"{location}/status-events").raise_for_status().json():
        print(f"{event['occurredAt']}  {event['eventType']:<15} {event['fromStatus'] or '-'} → {event['toStatus']}")
    print(f"\nIts run in the web UI: {activity['workflow']['url']}")


def _execute(api: httpx.Client, location: str, facts: Mapping[str, str]) -> None:
    """Let the worked executor take what is due until this one is done, unless another executor is faster."""
    address = {"API_URL": facts["baseUrl"], "TOKEN": facts["token"], "TENANT_ID": facts["tenantId"]}
    print("python examples/executor.py --once", flush=True)
    while api.get(location).raise_for_status().json()["status"] == "DUE":
        subprocess.run([sys.executable, _EXECUTOR, "--once"], env=os.environ | address, check=True)
    print()


def _follow(api: httpx.Client, location: str) -> dict[str, Any]:
    """Print every change of status until there is nothing more to wait for."""
    seen = None
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        activity: dict[str, Any] = api.get(location).raise_for_status().json()
        if activity["status"] != seen:
            seen = activity["status"]
            print(f"{datetime.now(UTC):%H:%M:%S.%f}  {seen}")
        if activity["markedAt"] is not None:
            return activity
        if seen not in {"RESOLVING", "READY"} or time.monotonic() > give_up_at:
            sys.exit(f"It should be DUE by now, but it is {seen}: {json.dumps(activity, indent=2)}")
        time.sleep(_LOOK_EVERY_SECONDS)


if __name__ == "__main__":
    main()
