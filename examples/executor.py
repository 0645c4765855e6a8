"""A message sender: takes due WHATSAPP messages, "sends" them to the terminal, and says what became of them.

    API_URL=http://127.0.0.1:8000 TOKEN=… TENANT_ID=… python examples/executor.py [--once]

Start as many as you like: no message goes to two of them at a time. Kill one (even with -9) and what it held goes to
another when its lease ends. That one may send again what was sent already but not reported: give your provider the
activity's id as its idempotency key.
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
    "lease_seconds": 30,  # longer than ten messages take; for slow ones extend it: POST /api/executions/{token}/extend
    "wait_seconds": 20,  # the answer comes as soon as something is due: no need to poll
    "executor": EXECUTOR,
}


def main() -> None:
    """Work until killed; with --once, until the first messages are out."""
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}", "x-tenant-id": os.environ["TENANT_ID"]}
    with httpx.Client(base_url=os.environ["API_URL"], headers=headers, timeout=30, trust_env=False) as api:
        while not (work(api) and "--once" in sys.argv):
            pass


def work(api: httpx.Client) -> int:
    """Take what is due, send it, report each; answers how many there were."""
    taken = post(api, "/api/executions/claim", CLAIM)["data"]
    for activity in taken:
        sent_at = send(activity)
        result = {"activity_id": activity["id"], "lease_token": activity["leaseToken"], "status": "COMPLETED"}
        post(api, "/api/activity-results/tasks", result | {"occurred_at": sent_at.isoformat()})
    return len(taken)


def send(activity: dict[str, Any]) -> datetime:
    """Where a real one calls its provider."""
    target = activity["targetUsers"][0]
    print(f"to {target['name']} at {target['contact']['value']}: {activity['reason']['label']}", flush=True)
    return datetime.now(UTC)


def post(api: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """Ask until there is an answer: what a lost claim took comes back by its lease, a result may be sent twice."""
    while True:
        try:
            answer = api.post(path, json=body)
            if answer.status_code == httpx.codes.CONFLICT:  # it took too long: somebody else has the activity by now
                return None
            return answer.raise_for_status().json()
        except (httpx.TransportError, httpx.HTTPStatusError) as failure:
            if isinstance(failure, httpx.HTTPStatusError) and failure.response.status_code not in {429, 503}:
                raise
            print(f"trying again: {failure}", flush=True)
            time.sleep(2)


if __name__ == "__main__":
    main()
