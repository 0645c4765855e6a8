"""Post the contract's example to the running stack and show how it becomes due and is executed: `make demo`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx

from embedded.environment import running_stack

_EXECUTOR = Path(__file__).parents[1] / "examples" / "executor.py"
_DUE_IN = timedelta(seconds=3)
_PATIENCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.1


def contract_example(commerce_id: str, due_at: datetime) -> dict[str, Any]:
    """Return the body of the contract's example with a fresh idempotency key, to be due at that time."""
    return {
        "type": "MESSAGE",
        "reason": "Monthly promotion",
        "channel": "WHATSAPP",
        "commerce_id": commerce_id,
        "idempotency_key": f"msg-{datetime.now(UTC):%Y-%m-%d}-{token_hex(4)}",
        "scheduled_at": due_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "attribute_keys": ["commerce_info"],
    }


def main() -> None:
    """Post the contract's example, due in three seconds, and print its answer, its statuses, its trail and its run."""
    variables = running_stack()
    headers = {"Authorization": f"Bearer {variables['TOKEN']}", "x-tenant-id": variables["TENANT_ID"]}
    with httpx.Client(base_url=variables["API_URL"], headers=headers, timeout=30, trust_env=False) as api:
        body = contract_example(variables["COMMERCE_ID"], datetime.now(UTC) + _DUE_IN)
        print(f"POST {variables['API_URL']}/api/activities\n{json.dumps(body, indent=2)}\n")
        created = api.post("/api/activities", json=body)
        print(f"{created.status_code} {created.reason_phrase}\n{_indented(created)}\n")
        if created.status_code not in {httpx.codes.CREATED, httpx.codes.ACCEPTED}:
            sys.exit(1)
        _show_life(api, created.headers["Location"], variables)


def _indented(answer: httpx.Response) -> str:
    """Return the answer's JSON indented, or its text if it is no JSON."""
    try:
        return json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text


def _show_life(api: httpx.Client, location: str, variables: Mapping[str, str]) -> None:
    """Follow one activity until it is due, let the example executor complete it, then print its trail."""
    activity = _follow(api, location)
    print(f"\nscheduled for {activity['scheduledAt']}, marked at {activity['markedAt']}", end="")
    print(f": {activity['latenessMs']} ms late\n")
    _execute(api, location, variables)
    for event in api.get(f"{location}/status-events").raise_for_status().json()["data"]:
        print(f"{event['occurredAt']}  {event['eventType']:<15} {event['fromStatus'] or '-'} → {event['toStatus']}")
    print(f"\nIts run in the web UI: {activity['workflow']['url']}")


def _execute(api: httpx.Client, location: str, variables: Mapping[str, str]) -> None:
    """Run the example executor until this activity is no longer DUE; another executor may have claimed it first."""
    print("make executor ARGS=--once", flush=True)
    while api.get(location).raise_for_status().json()["status"] == "DUE":
        subprocess.run([sys.executable, _EXECUTOR, "--once"], env=os.environ | variables, check=True)
    print()


def _follow(api: httpx.Client, location: str) -> dict[str, Any]:
    """Print every new status until the activity is marked; exit if it can't become due."""
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
