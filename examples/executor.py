"""Claim due WHATSAPP messages, "send" them to the terminal, and report the results.

    API_URL=http://127.0.0.1:8000 TOKEN=… TENANT_ID=… python examples/executor.py [--once]

Start as many as you like: a message is never held by two of them at a time. If one is killed (even with -9), its
messages go to another when their leases end. Messages that were sent but not reported are then sent again: use the
activity's id as the idempotency key of your provider.
"""

import os
import sys
import time
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


def main() -> None:
    """Work until killed; with --once, until the first messages are sent."""
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "x-tenant-id": os.environ["TENANT_ID"]}
    with httpx.Client(base_url=os.environ["API_URL"], headers=headers, timeout=30, trust_env=False) as api:
        while not (work(api) and "--once" in sys.argv):
            pass


def work(api: httpx.Client) -> int:
    """Claim due messages, send and report each; returns their number."""
    claimed = post(api, "/api/executions/claim", CLAIM)["data"]
    for activity in claimed:
        sent_at = send(activity)
        result = {"activity_id": activity["id"], "lease_token": activity["leaseToken"], "status": "COMPLETED"}
        post(api, "/api/activity-results/tasks", result | {"occurred_at": sent_at.isoformat()})
    return len(claimed)


def send(activity: dict[str, Any]) -> datetime:
    """Send one message; a real executor calls its provider here."""
    target = activity["targetUsers"][0]
    print(f"to {target['name']} at {target['contact']['value']}: {activity['reason']['label']}", flush=True)
    return datetime.now(UTC)


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """Post until there is an answer. Repeating is safe: a lost claim ends with its lease, results may be repeated."""
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
            time.sleep(2)


if __name__ == "__main__":
    main()
