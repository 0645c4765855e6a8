"""Record the examples of the OpenAPI document from a running service: `python -m tests.support.examples`.

Each call's request and answers are noted under its operation. Ids, and times of today, are replaced by others that are
the same in every recording.
"""

import asyncio
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx

from api.examples import FILE
from db import migrations
from db.models import Commerce
from embedded.postgres import running_postgres
from embedded.temporal_server import DYNAMIC_CONFIG, free_port, running_temporal
from tests.support.builders import COMMERCE_ID, LONG_AGO, contract_example
from tests.support.bulk import applied
from tests.support.locks import row_locked
from tests.support.service import Service, resources, running_api, running_service, temporal_client, until

TODAY = "2026-01-15T09:00:00.000Z"
LATER, MOVED = "2031-01-16T09:00:00.000Z", "2031-01-17T09:00:00.000Z"
CLAIM_ID, OPERATION_ID = "0f9d3c52-3f5c-4f0e-9a36-0a6a5a1e2b11", "5a0c8f1e-7d0b-4c7b-8a55-2f4c3e9d1a22"
RETRY_ID = "7c4f2b9a-1e6d-4d3f-9b62-3f8e5d2c6b33"
ERASURE_ID = "2d1a7c44-8f3b-4b0e-a6c9-5e7f1b2c3d44"
COMMERCE_ERASURE_ID = "3e2b8d55-9f4c-4c1f-b7da-6f8a2c3d4e55"
STOPPED_ID = "4f3c9e66-af5d-4d2a-88eb-7a9b3d4e5f66"
KEPT = {str(COMMERCE_ID), CLAIM_ID, OPERATION_ID, RETRY_ID, ERASURE_ID, COMMERCE_ERASURE_ID, STOPPED_ID}
SHOWN = {
    "nextCursor": "Y3Vyc29yIG9mIHRoZSBuZXh0IHBhZ2U",
    "keyPrefix": "rtn_sk_EXAMPL",
    "plaintextKey": "rtn_sk_EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EXAMPLE-EX",
}
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ACTIVITIES, COMMERCES, CONFIG = "/api/activities", "/api/commerces", "/api/activity-config"


class Recorder:
    """Sends calls, and notes each operation's first request and its first answer of each status."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.recorded: dict[str, dict[str, Any]] = {}
        self.headers: dict[tuple[str, str], set[str]] = {}

    async def call(self, operation: str, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """Send a call and note it."""
        sent = {"content": body} if isinstance(body, str) else {} if body is None else {"json": body}
        answer = await self.http.request(method, path, **sent, **options)
        noted = self.recorded.setdefault(operation, {"answers": {}})
        if body is not None:
            noted.setdefault("request", body)
        status = str(answer.status_code)
        is_json = re.match("application/(problem[+])?json", answer.headers.get("content-type", "")) and answer.content
        noted["answers"].setdefault(status, answer.json() if is_json else answer.text or None)
        self.headers.setdefault((operation, status), set(answer.headers))
        return answer


async def record(service: Service) -> Recorder:
    """Call every operation in a tenant of its own."""
    tenant = await service.tenant()
    async with service.client(tenant.id) as http:
        http.headers["X-Request-Id"] = "example-request"
        recorder = Recorder(http)
        for scenario in (
            _record_commerces,
            _record_configuration,
            _record_activities,
            _record_changes,
            _record_executions,
            _record_operations,
            _record_administration,
            _record_health,
        ):
            await scenario(recorder, http)
    impatient = resources(service.roles.api, service.temporal, answer_deadline_seconds=5.0)
    async with running_api(impatient) as url, service.at(url).client(tenant.id) as http:
        http.headers["X-Request-Id"] = "example-request"
        recorder.http = http
        await _record_accepted(recorder, http, service)
    recorder.recorded = _Normal().apply(recorder.recorded)
    return recorder


def _key(number: int) -> str:
    return f"msg-2026-01-15-{number:03}"


async def _completed(http: httpx.AsyncClient, operation: str) -> None:
    """Wait until the operation has ended, so that its state is the same in each recording."""
    async with asyncio.timeout(60):
        while (await http.get(operation)).json()["state"] != "COMPLETED":
            await asyncio.sleep(0.05)


async def _record_commerces(record: Recorder, http: httpx.AsyncClient) -> None:
    user = {
        "external_id": "u-7",
        "name": "Ana Pérez",
        "roles": ["OWNER"],
        "contacts": [{"contact_type": "WHATSAPP", "value": "+5491123456789", "is_primary": True}],
    }
    item = {"external_id": "store-2", "name": "Tienda Dos", "metadata": {"segment": "gold"}, "users": [user]}
    lacking = {"external_id": "u-9", "contacts": [{"contact_type": "PHONE", "value": "911"}]}
    wrong = {"external_id": "store-3", "name": "Tienda Tres", "users": [lacking]}
    await record.call("syncCommerces", "POST", f"{COMMERCES}/sync", {"items": [item, wrong]})
    listed = await record.call("listCommerces", "GET", COMMERCES, params={"external_id": "store-2"})
    path = f"{COMMERCES}/{listed.json()['data'][0]['id']}"
    await record.call("getCommerce", "GET", path)
    await record.call("updateCommerce", "PATCH", path, {"tax_id": "20-2", "metadata": {"segment": "silver"}})
    new = {"external_id": "u-8", "name": "Luis Gómez", "roles": ["ORDERS"]}
    created = await record.call("createUser", "POST", f"{path}/users", new)
    await record.call("createUser", "POST", f"{path}/users", new)
    await record.call("listUsers", "GET", f"{path}/users")
    one = f"{path}/users/{created.json()['id']}"
    await record.call("updateUser", "PATCH", one, {"name": "Luis A. Gómez"})
    await record.call("addRole", "POST", f"{one}/roles", {"role": "FINANCE"})
    await record.call("removeRole", "DELETE", f"{one}/roles/FINANCE")
    contact = {"contact_type": "EMAIL", "value": "luis@example.com", "is_primary": True}
    added = await record.call("addContact", "POST", f"{one}/contacts", contact)
    await record.call("removeContact", "DELETE", f"{one}/contacts/{added.json()['contacts'][0]['id']}")
    entry = {"user_external_id": "u-7", "channel": "WHATSAPP", "contacted_at": LONG_AGO}
    await record.call("putContactLog", "PUT", f"{path}/contact-log", {"entries": [entry]})
    await record.call("getContactLog", "GET", f"{path}/contact-log")
    operation = {"operation_id": ERASURE_ID}
    erasing = await record.call("eraseUser", "DELETE", f"{one}/personal-data", params=operation)
    await _completed(http, erasing.headers["Location"])
    await record.call("eraseUser", "DELETE", f"{one}/personal-data", params=operation | {"cancel_open": True})
    await record.call("eraseCommerce", "DELETE", f"{path}/personal-data", params={"operation_id": COMMERCE_ERASURE_ID})


async def _record_configuration(record: Recorder, _: httpx.AsyncClient) -> None:
    for noun, path in (("Reason", f"{CONFIG}/reasons"), ("UserStatus", "/api/user-retention-statuses")):
        plural = {"Reason": "Reasons", "UserStatus": "UserStatuses"}[noun]
        entry = {"code": "win_back", "label": "Win back", "aliases": ["comeback"]}
        await record.call(f"create{noun}", "POST", path, entry)
        await record.call(f"create{noun}", "POST", path, entry)
        await record.call(f"update{noun}", "PATCH", f"{path}/win_back", {"label": "Win back a customer"})
        await record.call(f"list{plural}", "GET", path)
    keys = f"{CONFIG}/attribute-keys"
    await record.call("createAttributeKey", "POST", keys, {"key": "discount", "label": "Discount"})
    await record.call("updateAttributeKey", "PATCH", f"{keys}/discount", {"description": "In percent."})
    await record.call("listAttributeKeys", "GET", keys)
    policy = {"key": "discount", "strategy": "CALLER_PROVIDED", "resolver_type": "CALLER_PROVIDED"}
    await record.call("upsertAttributePolicy", "POST", f"{CONFIG}/attribute-policies", policy)
    await record.call("listAttributePolicies", "GET", f"{CONFIG}/attribute-policies")
    rules = f"{CONFIG}/target-resolution"
    wanted = {
        "resolution_strategy": "MANUAL",
        "channel": "SALESMAN",
        "priority": 1,
        "criteria": [{"type": "ROLE_MATCH", "config": {"role": "OWNER"}, "priority": 1}],
    }
    created = await record.call("createTargetConfig", "POST", rules, wanted)
    one = f"{rules}/{created.json()['id']}"
    await record.call("getTargetConfig", "GET", one)
    await record.call("updateTargetConfig", "PATCH", one, {"priority": 2})
    await record.call("listTargetConfigs", "GET", rules)
    types = [
        {"code": "sold", "label": "Sold"},
        {"code": "later", "label": "Call later", "requires_future_scheduled_at": True},
    ]
    await record.call("putTaskResultTypes", "PUT", f"{CONFIG}/task-result-types", {"types": types})
    await record.call("listTaskResultTypes", "GET", f"{CONFIG}/task-result-types")
    await record.call("putDispatchSettings", "PUT", f"{CONFIG}/dispatch", {"max_attempts": 3})
    await record.call("getDispatchSettings", "GET", f"{CONFIG}/dispatch")
    await record.call("putBulkSettings", "PUT", f"{CONFIG}/bulk", {"confirm_above": 1})
    await record.call("getBulkSettings", "GET", f"{CONFIG}/bulk")
    await record.call("putRetentionSettings", "PUT", f"{CONFIG}/retention", {"retention_days": 365})
    await record.call("getRetentionSettings", "GET", f"{CONFIG}/retention")
    await record.call("putPause", "PUT", f"{CONFIG}/pause", {"paused": True, "reason": "Wrong prices"})
    await record.call("getPause", "GET", f"{CONFIG}/pause")
    await record.call("putPause", "PUT", f"{CONFIG}/pause", {"paused": False})
    await record.call("getQuotas", "GET", "/api/quotas")


async def _record_activities(record: Recorder, _: httpx.AsyncClient) -> None:
    body = contract_example(idempotency_key=_key(1), scheduled_at=LATER)
    created = await record.call("createActivity", "POST", ACTIVITIES, body)
    await record.call("createActivity", "POST", ACTIVITIES, body | {"score": 5})
    await record.call("createActivity", "POST", ACTIVITIES, body | {"channel": "FAX"})
    await record.call(
        "createActivity", "POST", ACTIVITIES, body | {"commerce_id": OPERATION_ID, "idempotency_key": _key(2)}
    )
    path = created.headers["Location"]
    await record.call("getActivity", "GET", path)
    await record.call("listActivities", "GET", ACTIVITIES, params={"status": "READY"})
    counted = {"by": "status,hour", "scheduled_from": "2031-01-16T00:00:00Z", "scheduled_to": "2031-01-17T00:00:00Z"}
    await record.call("countActivities", "GET", f"{ACTIVITIES}/counts", params=counted)
    for operation, part in (
        ("listStatusEvents", "status-events"),
        ("listTargetUsers", "target-users"),
        ("listAttributes", "attributes"),
        ("getExplanation", "explanation"),
    ):
        await record.call(operation, "GET", f"{path}/{part}")
    await record.call("explainActivity", "POST", f"{ACTIVITIES}/explain", body)
    batch = [contract_example(idempotency_key=_key(number), scheduled_at=LATER) for number in (1, 3)]
    await record.call("createActivities", "POST", f"{ACTIVITIES}/batch", {"activities": batch})
    lines = "".join(
        json.dumps(contract_example(idempotency_key=_key(number), scheduled_at=LATER)) + "\n" for number in (3, 4)
    )
    await record.call(
        "streamActivities", "POST", f"{ACTIVITIES}/stream", lines, headers={"Content-Type": "application/x-ndjson"}
    )


async def _record_changes(record: Recorder, http: httpx.AsyncClient) -> None:
    async def create(number: int, **changes: Any) -> httpx.Response:
        return await http.post(
            ACTIVITIES, json=contract_example(idempotency_key=_key(number), scheduled_at=LATER, **changes)
        )

    created = await create(10)
    path = created.headers["Location"]
    change = {"scheduled_at": MOVED, "score": 80, "change_reason": "The shop is closed"}
    await record.call("changeActivity", "PATCH", path, change, headers={"If-Match": created.headers["ETag"]})
    await record.call("changeActivity", "PATCH", path, change, headers={"If-Match": created.headers["ETag"]})
    await record.call("cancelActivity", "POST", f"{path}/cancel", {"reason": "Sold out"})
    await record.call("cancelActivity", "POST", f"{path}/cancel", {"reason": "Sold out"})
    soon = await create(11)
    await record.call("executeActivityNow", "POST", f"{soon.headers['Location']}/execute-now")
    await http.post(f"{soon.headers['Location']}/cancel", json={"reason": "Only an example"})
    manual = await create(12, channel="SALESMAN")
    target = manual.json()["targetUsers"][0]["id"]
    users = (await http.get(f"{COMMERCES}/{COMMERCE_ID}/users")).json()["data"]
    assigned = {"commerce_user_id": users[0]["id"]}
    await record.call("assignTarget", "PATCH", f"{manual.headers['Location']}/target-users/{target}/resolve", assigned)
    without = {"fallback_to_commerce_rep": False, "fallback_to_owner": False, "channel": "SMS", "priority": 3}
    await http.post(f"{CONFIG}/target-resolution", json=without | {"resolution_strategy": "ON_CREATION"})
    unresolved = await create(13, channel="SMS")
    await record.call("retryResolution", "PATCH", f"{unresolved.headers['Location']}/retry-resolution")


async def _record_executions(record: Recorder, http: httpx.AsyncClient) -> None:
    created = await http.post(ACTIVITIES, json=contract_example(idempotency_key=_key(20), channel="PUSH"))
    await until(http, created.headers["Location"], "DUE")
    claim = {"channels": ["PUSH"], "limit": 1, "executor": "executor-1", "claim_id": CLAIM_ID}
    claimed = (await record.call("claimActivities", "POST", "/api/executions/claim", claim)).json()["data"][0]
    lease = f"/api/executions/{claimed['leaseToken']}"
    await record.call("extendLease", "POST", f"{lease}/extend", {"lease_seconds": 120})
    await record.call("releaseLease", "POST", f"{lease}/release", {"reason": "The provider is down"})
    await record.call("releaseLease", "POST", f"{lease}/release", {"reason": "The provider is down"})
    again = (await http.post("/api/executions/claim", json=claim | {"claim_id": None})).json()["data"][0]
    result = {
        "activity_id": again["id"],
        "lease_token": again["leaseToken"],
        "occurred_at": LONG_AGO,
        "status": "COMPLETED",
        "task_result": {"result": "sold", "comment": "Two boxes"},
    }
    await record.call("submitResult", "POST", "/api/activity-results/tasks", result)
    await record.call("submitResult", "POST", "/api/activity-results/tasks", result)
    await record.call("submitResult", "POST", "/api/activity-results/tasks", result | {"status": "CANCELED"})
    await record.call("listResults", "GET", f"{created.headers['Location']}/results")


async def _record_operations(record: Recorder, http: httpx.AsyncClient) -> None:
    wanted = {"filter": {"status": ["READY"], "search": "msg-2026-01-15-00"}, "reason": "The campaign is moved"}
    await record.call("cancelActivities", "POST", f"{ACTIVITIES}/cancel", wanted | {"dry_run": True})
    await record.call("cancelActivities", "POST", f"{ACTIVITIES}/cancel", wanted)
    move = wanted | {"shift_seconds": 86400, "operation_id": OPERATION_ID, "confirm_total": 100}
    await record.call("rescheduleActivities", "POST", f"{ACTIVITIES}/reschedule", move | {"dry_run": True})
    accepted = await record.call("rescheduleActivities", "POST", f"{ACTIVITIES}/reschedule", move)
    await _completed(http, accepted.headers["Location"])
    await record.call("rescheduleActivities", "POST", f"{ACTIVITIES}/reschedule", move | {"shift_seconds": 1})
    await record.call("getOperation", "GET", accepted.headers["Location"])
    await record.call("listOperations", "GET", "/api/operations", params={"verb": "reschedule"})
    await record.call("stopOperation", "POST", f"{accepted.headers['Location']}/stop")
    retry = {"filter": {"reason": "win_back"}, "reason": "The owner has a telephone now", "operation_id": RETRY_ID}
    await record.call("retryActivities", "POST", f"{ACTIVITIES}/retry-resolution", {**retry, "dry_run": True})
    await record.call("retryActivities", "POST", f"{ACTIVITIES}/retry-resolution", retry)
    record.recorded["retryActivities"]["request"] = retry
    cancel = {**wanted, "confirm_total": 100, "operation_id": CLAIM_ID}
    record.recorded["rescheduleActivities"]["request"] = move
    record.recorded["cancelActivities"]["request"] = cancel
    await record.call("cancelActivities", "POST", f"{ACTIVITIES}/cancel", cancel)


async def _record_accepted(record: Recorder, http: httpx.AsyncClient, service: Service) -> None:
    """Call what is accepted, but not written in time: other transactions hold the rows meanwhile."""

    async def create(number: int, **changes: Any) -> dict[str, Any]:
        body = contract_example(idempotency_key=_key(number), scheduled_at=LATER, **changes)
        created: dict[str, Any] = (await http.post(ACTIVITIES, json=body)).json()
        return created

    async def change(name: str, method: str, one: dict[str, Any], verb: str, body: object = None) -> None:
        await record.call(name, method, f"{ACTIVITIES}/{one['id']}{verb}", body)

    moved, cancelled, soon = [await create(number) for number in (30, 31, 32)]
    manual, unresolved = await create(33, channel="SALESMAN"), await create(34, channel="SMS")
    _, waiting, _ = [await create(number) for number in (40, 41, 42)]
    target = manual["targetUsers"][0]["id"]
    assigned = {"commerce_user_id": (await http.get(f"{COMMERCES}/{COMMERCE_ID}/users")).json()["data"][0]["id"]}
    new = contract_example(idempotency_key=_key(35), scheduled_at=LATER)
    wanted = {"filter": {"search": "msg-2026-01-15-04"}, "reason": "Sold out", "confirm_total": 10}
    async with AsyncExitStack() as locks:
        for one in (moved, cancelled, soon, manual, unresolved, waiting):
            await locks.enter_async_context(row_locked(service, one))
        await locks.enter_async_context(row_locked(service, {"id": str(COMMERCE_ID)}, of=Commerce.id))
        begun = await http.post(f"{ACTIVITIES}/cancel", json=wanted | {"operation_id": STOPPED_ID})
        operation = begun.headers["Location"]
        await applied(http, operation, 2)
        await asyncio.gather(
            record.call("createActivity", "POST", ACTIVITIES, new),
            change("changeActivity", "PATCH", moved, "", {"scheduled_at": MOVED}),
            change("cancelActivity", "POST", cancelled, "/cancel", {"reason": "Sold out"}),
            change("executeActivityNow", "POST", soon, "/execute-now"),
            change("assignTarget", "PATCH", manual, f"/target-users/{target}/resolve", assigned),
            change("retryResolution", "PATCH", unresolved, "/retry-resolution"),
            record.call("stopOperation", "POST", f"{operation}/stop"),
        )


async def _record_administration(record: Recorder, _: httpx.AsyncClient) -> None:
    keys = "/api/api-keys"
    wanted = {"name": "ERP", "permissions": ["CREATE_ACTIVITY", "VIEW_ACTIVITIES"], "expires_at": LATER}
    created = await record.call("createApiKey", "POST", keys, wanted)
    await record.call("listApiKeys", "GET", keys)
    await record.call("revokeApiKey", "DELETE", f"{keys}/{created.json()['id']}")
    await record.call("getMe", "GET", "/api/me")
    await record.call("listAuditEntries", "GET", "/api/audit", params={"resource": "ATTRIBUTE_KEY"})


async def _record_health(record: Recorder, _: httpx.AsyncClient) -> None:
    await record.call("getLiveness", "GET", "/health/live")
    await record.call("getReadiness", "GET", "/health/ready")


class _Normal:
    """Replaces what differs between recordings, each value by the same one everywhere."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._recent = datetime.now(UTC) - timedelta(days=2)

    def apply(self, value: Any, name: str = "") -> Any:
        """Return the value with other ids, times, cursors and durations."""
        match value:
            case dict():
                return {key: self.apply(one, key) for key, one in value.items()}
            case list():
                return [self.apply(one) for one in value]
            case str() if name in SHOWN:
                return SHOWN[name]
            case str():
                return _INSTANT.sub(self._time, _UUID.sub(self._id, value))
            case int() if name == "latenessMs":
                return 12
        return value

    def _id(self, found: re.Match[str]) -> str:
        if found[0] in KEPT:
            return found[0]
        return self._ids.setdefault(found[0], str(uuid5(NAMESPACE_URL, f"example {len(self._ids)}")))

    def _time(self, found: re.Match[str]) -> str:
        is_recent = abs(datetime.fromisoformat(found[0]) - self._recent) < timedelta(days=4)
        return TODAY if is_recent else found[0]


def format_examples(recorded: dict[str, Any]) -> str:
    """Return the text of the file."""
    return json.dumps(recorded, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def iterate_examples(recorded: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each operation and status of which there is an answer."""
    for operation, noted in recorded.items():
        yield from ((operation, status) for status in noted["answers"])


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder, running_postgres(Path(folder), durable=False) as postgres:
        postgres.create_database("examples")
        migrations.upgrade(postgres.url("examples"))
        with running_temporal(ui_port=free_port(), dynamic_config=DYNAMIC_CONFIG) as temporal:
            client = await temporal_client(temporal.address)
            async with running_service(postgres.url("examples"), client) as service:
                FILE.write_text(format_examples((await record(service)).recorded))


if __name__ == "__main__":
    asyncio.run(_main())
