"""Claim due WHATSAPP messages, "send" them to the terminal, and report the results.

    make executor                                                                      # for the stack of make run
    API_URL=http://127.0.0.1:8000 TOKEN=… TENANT_ID=… python examples/executor.py [--once]     # needs httpx

Start as many as you like: a message is never held by two of them at a time. If one is killed (even with -9), its
messages go to another when their leases end. Messages that were sent but not reported are then sent again: use the
activity's id as the idempotency key of your provider.
"""

import os
import sys
import time
import uuid
from datetime import UTC, datetime
from typing import Any

import httpx

EXECUTOR = f"example-{os.getpid()}"
CLAIM = {
    "channels": ["WHATSAPP"],
    "types": ["MESSAGE"],
    "limit": 10,
    "lease_seconds": 30,  # longer than ten messages take; or extend it: POST /api/executions/{token}/extend
    "wait_seconds": 20,  # the answer comes as soon as an activity is due, without polling
    "executor": EXECUTOR,
}
PAUSE_SECONDS = 2


def main() -> None:
    """Work until killed; with --once, until the first messages are sent."""
    if missing := [name for name in ("API_URL", "TOKEN", "TENANT_ID") if name not in os.environ]:
        sys.exit(f"{', '.join(missing)} isn't set: start the stack with make run, and this with make executor")
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "x-tenant-id": os.environ["TENANT_ID"]}
    with httpx.Client(base_url=os.environ["API_URL"], headers=headers, timeout=30, trust_env=False) as api:
        while not (work(api) and "--once" in sys.argv):
            pass


def work(api: httpx.Client) -> int:
    """Claim due messages, send and report each; returns the number of those that were sent."""
    claim_id = {"claim_id": str(uuid.uuid4())}  # sent again after a lost answer, it returns the same messages
    claimed = post(api, "/api/executions/claim", CLAIM | claim_id)["data"]
    sent = [activity for activity in claimed if carry_out(api, activity)]
    if len(sent) < len(claimed):
        time.sleep(PAUSE_SECONDS)  # what was released is due again at once
    return len(sent)


def carry_out(api: httpx.Client, activity: dict[str, Any]) -> bool:
    """Send and report one message; release it if it can't be sent. Returns whether it was sent."""
    try:
        sent_at = send(activity)
    except Exception as failure:  # noqa: BLE001 - whatever is wrong with one message, the others go on
        print(f"releasing {activity['id']}: {failure!r}", flush=True)
        try_to_post(api, f"/api/executions/{activity['leaseToken']}/release", {"reason": repr(failure)[:1000]})
        return False
    result = {"activity_id": activity["id"], "lease_token": activity["leaseToken"], "status": "COMPLETED"}
    try_to_post(api, "/api/activity-results/tasks", result | {"occurred_at": sent_at.isoformat()})
    return True


def try_to_post(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    """Post; if it is refused for good, leave the message to the end of its lease: other messages wait."""
    try:
        post(api, path, body)
    except httpx.HTTPStatusError as failure:
        print(f"refused: {failure.response.text}", flush=True)


def send(activity: dict[str, Any]) -> datetime:
    """Send one message; a real executor calls its provider here."""
    target = activity["targetUsers"][0]
    print(f"to {target['name']} at {target['contact']['value']}: {activity['reason']['label']}", flush=True)
    return datetime.now(UTC)


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """Post until there is an answer. Repeating is safe: claims have an id, and results may be repeated."""
    while True:
        try:
            answer = api.post(path, json=body)
            if answer.status_code == httpx.codes.CONFLICT:  # the lease has run out
                return None
            return answer.raise_for_status().json()
        except (httpx.TransportError, httpx.HTTPStatusError) as failure:
            if isinstance(failure, httpx.HTTPStatusError) and failure.response.status_code not in {429, 503}:
                raise
            print(f"trying again: {failure}", flush=True)
            time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
