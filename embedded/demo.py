"""Write and read `demo.json`, the file of addresses and tokens, and show one activity becoming due: `make demo`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx

from api.http.auth import Permission
from embedded.demo_data import COMMERCE_ID, OTHER_TENANT_ID, TENANT_ID
from embedded.signing_key import SigningKey, write_private_file
from embedded.stack_settings import StackSettings, read_settings
from embedded.temporal_server import TemporalServer

_EXECUTOR = Path(__file__).parents[1] / "examples" / "executor.py"
_DUE_IN = timedelta(seconds=3)
_PATIENCE_SECONDS = 60
_LOOK_EVERY_SECONDS = 0.1
_TOKEN_LIFETIME = timedelta(days=1)


def demo_facts(settings: StackSettings, key: SigningKey, temporal: TemporalServer) -> dict[str, str]:
    """Return the content of `demo.json`: the stack's addresses, ids and tokens of one day."""
    everything = list(Permission)
    return {
        "baseUrl": settings.api_url,
        "temporalUiUrl": temporal.ui_url or "",
        "temporalAddress": temporal.address,
        "tenantId": str(TENANT_ID),
        "otherTenantId": str(OTHER_TENANT_ID),
        "commerceId": str(COMMERCE_ID),
        "token": key.token("demo", {TENANT_ID: everything}, _TOKEN_LIFETIME),
        "viewerToken": key.token("demo-viewer", {TENANT_ID: [Permission.VIEW_ACTIVITIES]}, _TOKEN_LIFETIME),
        "otherTenantToken": key.token("demo-other-tenant", {OTHER_TENANT_ID: everything}, _TOKEN_LIFETIME),
    }


@contextmanager
def published_facts(path: Path, facts: Mapping[str, str]) -> Iterator[None]:
    """Write `demo.json` at once, readable by its owner only, and remove it when the block ends."""
    write_private_file(path, json.dumps(dict(facts), indent=2).encode() + b"\n")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def contract_example(facts: Mapping[str, str], scheduled_at: str = "2025-01-16T09:00:00.000Z") -> dict[str, Any]:
    """Return the body of the contract's example with a fresh idempotency key."""
    return {
        "type": "MESSAGE",
        "reason": "Monthly promotion",
        "channel": "WHATSAPP",
        "commerce_id": facts["commerceId"],
        "idempotency_key": f"msg-{datetime.now(UTC):%Y-%m-%d}-{token_hex(4)}",
        "scheduled_at": scheduled_at,
        "attribute_keys": ["commerce_info"],
    }


def curl_command(facts: Mapping[str, str]) -> str:
    """Return the contract's curl with this stack's address, token and tenant."""
    headers = {
        "Authorization": f"Bearer {facts['token']}",
        "x-tenant-id": facts["tenantId"],
        "Content-Type": "application/json",
    }
    lines = [f"curl -X POST {facts['baseUrl']}/api/activities"]
    lines += [f"-H {json.dumps(f'{name}: {value}')}" for name, value in headers.items()]
    members = ",\n".join(f'"{name}": {json.dumps(value)}' for name, value in contract_example(facts).items())
    return " \\\n".join([*lines, f"-d '{{\n{members}\n}}'"])


def main() -> None:
    """Post the contract's example, due in three seconds, and print its answer, its statuses, its trail and its run."""
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
    """Read `demo.json` of the running stack, or exit with a line that says how to start one."""
    path = read_settings().data_dir / "demo.json"
    try:
        facts: dict[str, str] = json.loads(path.read_text())
    except FileNotFoundError:
        sys.exit(f"{path} is not there: start the stack first, with make run, and wait until it is ready")
    return facts


def _indented(answer: httpx.Response) -> str:
    """Return the answer's JSON indented, or its text if it is no JSON."""
    try:
        return json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text


def _show_life(api: httpx.Client, location: str, facts: Mapping[str, str]) -> None:
    """Follow one activity until it is due, let the example executor complete it, then print its trail."""
    activity = _follow(api, location)
    print(f"\nscheduled for {activity['scheduledAt']}, marked at {activity['markedAt']}", end="")
    print(f": {activity['latenessMs']} ms late\n")
    _execute(api, location, facts)
    for event in api.get(f"{location}/status-events").raise_for_status().json()["data"]:
        print(f"{event['occurredAt']}  {event['eventType']:<15} {event['fromStatus'] or '-'} → {event['toStatus']}")
    print(f"\nIts run in the web UI: {activity['workflow']['url']}")


def _execute(api: httpx.Client, location: str, facts: Mapping[str, str]) -> None:
    """Run the example executor until this activity is no longer DUE; another executor may have claimed it first."""
    address = {"API_URL": facts["baseUrl"], "TOKEN": facts["token"], "TENANT_ID": facts["tenantId"]}
    print("python examples/executor.py --once", flush=True)
    while api.get(location).raise_for_status().json()["status"] == "DUE":
        subprocess.run([sys.executable, _EXECUTOR, "--once"], env=os.environ | address, check=True)
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
