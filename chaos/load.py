"""The callers of a chaos run: each knows what it may expect, and every answer is recorded."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import compress
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import httpx

from chaos.record import Answer
from chaos.stack import APIS, TENANTS, Stack
from embedded.demo_data import STORES

Json = dict[str, Any]

COMMERCES = {store.tenant_id: store.id for store in STORES}
LONGEST_ANSWER_SECONDS = 45
NEAR_SECONDS = 6
TRIES = 6
UNKNOWN = (None, 429, 503)
"""The answers after which a caller sends the same request again."""
ACTIVITIES, EXECUTIONS, CONFIG = "/api/activities", "/api/executions", "/api/activity-config"
CHANNELS = ("WHATSAPP", "SALESMAN", "SMS", "EMAIL", "PUSH")
SET_UP: tuple[tuple[str, str, Json], ...] = (
    ("POST", f"{CONFIG}/target-resolution", {"strategy": "MANUAL", "channel": "PUSH", "priority": 1}),
    ("POST", f"{CONFIG}/target-resolution", {"strategy": "ON_DISPATCH", "channel": "EMAIL", "priority": 2}),
    (
        "PUT",
        f"{CONFIG}/task-result-types",
        {"types": [{"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}]},
    ),
)
FAULTY: tuple[Json, ...] = (
    {"reason": "no such reason"},
    {"commerce_id": "00000000-0000-4000-8000-000000000000"},
    {"attribute_keys": ["no_such_key"]},
    {"channel": "PIGEON"},
)


def now() -> datetime:
    """Return the time by the machine's clock, which PostgreSQL reads too."""
    return datetime.now(UTC)


class Accepted(NamedTuple):
    """An activity whose creation was answered 201 or 202."""

    tenant: UUID
    id: str
    scheduled_at: datetime


class Load:
    """Callers that go on until they are stopped. `answers` are in the order of their arrival."""

    def __init__(self, stack: Stack, seed: int, rate: float) -> None:
        self.answers: list[Answer] = []
        self._accepted: list[Accepted] = []
        self._stack = stack
        self._random = Random(seed)
        self._rate = rate
        self._http = {
            name: httpx.AsyncClient(base_url=stack.url(name), trust_env=False, timeout=LONGEST_ANSWER_SECONDS)
            for name in APIS
        }
        with closing(stack.connect()) as connection:
            users = "SELECT tenant_id, id::text FROM commerce_users WHERE 'OWNER' = ANY (roles)"
            self._users = dict(connection.execute(users).fetchall())
        self._answering: tuple[str, ...] = APIS
        self._calls = 0
        self._is_over = asyncio.Event()

    async def set_up(self) -> None:
        """Configure the tenants: channels whose users are assigned by hand or found at the time, and follow-ups."""
        for tenant in TENANTS:
            for method, path, body in SET_UP:
                answer = await self._call("set up", tenant, method, path, body)
                if answer.status not in {200, 201}:
                    raise RuntimeError(str(answer))

    async def run(self) -> None:
        """Run all callers until `stop`; then each finishes its request, and pauses are ended."""
        callers: tuple[tuple[float, Callable[[], Awaitable[None]]], ...] = (
            *((1.0, self._create) for _ in range(4)),
            *((8.0, self._create_batch) for _ in range(2)),
            *((0.6, self._change) for _ in range(5)),
            *((0.4, self._read) for _ in range(2)),
            *((0.2, self._execute) for _ in range(4)),
            *((10.0, self._change_many) for _ in range(2)),
            (10.0, self._pause),
            (0.5, self._check_health),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for seconds, act in callers:
                    group.create_task(self._repeat(seconds / self._rate, act))
        finally:
            for http in self._http.values():
                await http.aclose()

    def stop(self) -> None:
        """Let every caller finish its request."""
        self._is_over.set()

    async def _repeat(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        """Act again and again, after random waits of this mean."""
        while not self._is_over.is_set():
            await act()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_over.wait(), self._random.uniform(0.5, 1.5) * seconds)

    async def _call(  # noqa: PLR0913 - the parts of a request
        self,
        action: str,
        tenant: UUID,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        activity: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request to one of the APIs and record the answer."""
        self._calls += 1
        call = f"call-{self._calls}-{action.replace(' ', '-')}"
        known: Json = {"call": call, "action": action, "tenant": str(tenant), "sent_at": now(), "sent": body or {}}
        signed = self._stack.headers(tenant, call) | dict(headers or {})
        try:
            response = await self._send(method, path, body, signed)
            content = response.json()
        except (httpx.TransportError, json.JSONDecodeError):
            answer = Answer(**known, answered_at=now(), status=None, activity=activity)
        else:
            content = content if isinstance(content, dict) else {"items": content}
            tag = response.headers.get("ETag", "").strip('"')
            answer = Answer(
                **known,
                answered_at=now(),
                status=response.status_code,
                body=content,
                activity=activity or (content.get("id") if action.startswith("create") else None),
                version=int(tag or 0),
                retry_after="Retry-After" in response.headers,
            )
        self.answers.append(answer)
        return answer

    async def _send(self, method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> httpx.Response:
        """Send a request to one of the APIs that have answered lately, as a load balancer does."""
        http = self._http[self._random.choice(self._answering or APIS)]
        return await http.request(method, path, json=body, headers=headers)

    async def _check_health(self) -> None:
        """Look which APIs answer."""

        async def answers(name: str) -> bool:
            with suppress(httpx.TransportError):
                return (await self._http[name].get("/health/live", timeout=1)).is_success
            return False

        healthy = await asyncio.gather(*map(answers, APIS))
        self._answering = tuple(compress(APIS, healthy))

    async def _insist(self, action: str, tenant: UUID, method: str, path: str, body: Json) -> Answer:
        """Send a request again until its answer is known: as a caller with a key or an id of its own does."""
        for _ in range(TRIES):
            answer = await self._call(action, tenant, method, path, body)
            if answer.status not in UNKNOWN or self._is_over.is_set():
                break
            await asyncio.sleep(2)
        return answer

    # Creations

    def _new(self, tenant: UUID) -> Json:
        """Return a valid creation: due in the past, within seconds, within a minute, or far ahead."""
        self._calls += 1
        waits = (-60, self._random.uniform(1, 10), self._random.uniform(15, 60), 1e6)
        (seconds,) = self._random.choices(waits, (3, 6, 3, 1))
        return {
            "type": self._random.choice(("TASK", "MESSAGE")),
            "reason": self._random.choice(("Monthly promotion", "payment_reminder")),
            "channel": self._random.choice(CHANNELS),
            "commerce_id": str(COMMERCES[tenant]),
            "idempotency_key": f"key-{self._calls}",
            "scheduled_at": (now() + timedelta(seconds=seconds)).isoformat(),
            "score": self._random.randrange(100),
            "attribute_keys": ["commerce_info"],
        }

    async def _create(self) -> None:
        """Create one activity; sometimes a faulty one, or twice at once, or again with another content."""
        tenant = self._random.choice(TENANTS)
        body, chance = self._new(tenant), self._random.random()
        if chance < 0.1:
            await self._call("create faulty", tenant, "POST", ACTIVITIES, body | self._random.choice(FAULTY))
            return
        wanted = [self._insist("create", tenant, "POST", ACTIVITIES, body) for _ in range(2 if chance < 0.3 else 1)]
        answers = await asyncio.gather(*wanted)
        for answer in answers:
            self._note_created(tenant, answer)
        if chance > 0.9 and answers[0].status == 201:
            await self._call("create differing", tenant, "POST", ACTIVITIES, body | {"score": 1000})

    async def _create_batch(self) -> None:
        """Create many activities in one call; each item is recorded as an answer of its own."""
        tenant = self._random.choice(TENANTS)
        bodies = [self._new(tenant) for _ in range(self._random.randint(30, 90))]
        for _ in range(TRIES):
            answer = await self._call("batch", tenant, "POST", f"{ACTIVITIES}/batch", {"activities": bodies})
            for item in answer.body.get("results", ()):
                created = Answer(
                    call=f"{answer.call}-{item['index']}",
                    action="create",
                    tenant=str(tenant),
                    sent_at=answer.sent_at,
                    answered_at=answer.answered_at,
                    status=item["status"],
                    sent=bodies[item["index"]],
                    body=item["body"],
                    activity=item["body"].get("id"),
                    retry_after=True,  # an item has no headers
                )
                self.answers.append(created)
                self._note_created(tenant, created)
            unknown = [bodies[item["index"]] for item in answer.body.get("results", ()) if item["status"] in UNKNOWN]
            bodies = bodies if answer.status in UNKNOWN else unknown
            if not bodies or self._is_over.is_set():
                break
            await asyncio.sleep(2)

    def _note_created(self, tenant: UUID, answer: Answer) -> None:
        if answer.status in {201, 202} and answer.activity:
            at = datetime.fromisoformat(answer.sent["scheduled_at"])
            self._accepted.append(Accepted(tenant, answer.activity, at))

    def _choose_activity(self) -> Accepted | None:
        """Choose one of the activities that were accepted, more often one whose time is near."""
        near = [one for one in self._accepted[-300:] if abs((one.scheduled_at - now()).total_seconds()) < NEAR_SECONDS]
        chosen = near if near and self._random.random() < 0.7 else self._accepted
        return self._random.choice(chosen) if chosen else None

    # Changes and readings

    async def _read(self) -> None:
        chosen = self._choose_activity()
        if chosen:
            await self._call("read", chosen.tenant, "GET", f"{ACTIVITIES}/{chosen.id}", activity=chosen.id)

    async def _change(self) -> None:
        """Read an activity, then change it in one of the ways that its status may allow."""
        chosen = self._choose_activity()
        if chosen is None:
            return
        tenant = chosen.tenant
        seen = await self._call("read", tenant, "GET", f"{ACTIVITIES}/{chosen.id}", activity=chosen.id)
        if seen.body.get("status") in {"COMPLETED", "CANCELED", "FAILED"} and self._random.random() < 0.8:
            return
        often, seldom = (
            (self._reschedule, self._score),
            (self._execute_now, self._retry_resolution, self._assign_target),
        )
        await self._random.choice((self._cancel, *often, *often, *seldom))(tenant, seen)

    async def _cancel(self, tenant: UUID, seen: Answer) -> None:
        path = f"{ACTIVITIES}/{seen.activity}/cancel"
        await self._call("cancel", tenant, "POST", path, {"reason": "chaos"}, activity=seen.activity)

    async def _reschedule(self, tenant: UUID, seen: Answer) -> None:
        ahead = (now() + timedelta(seconds=self._random.uniform(2, 40))).isoformat()
        path = f"{ACTIVITIES}/{seen.activity}"
        await self._call("reschedule", tenant, "PATCH", path, {"scheduled_at": ahead}, activity=seen.activity)

    async def _score(self, tenant: UUID, seen: Answer) -> None:
        """Change the score, every other time only if the activity is as it was seen."""
        tag = {"If-Match": f'"{seen.version or 1}"'} if self._random.random() < 0.5 else {}
        path, body = f"{ACTIVITIES}/{seen.activity}", {"score": self._random.randrange(100)}
        await self._call("score", tenant, "PATCH", path, body, activity=seen.activity, headers=tag)

    async def _execute_now(self, tenant: UUID, seen: Answer) -> None:
        path = f"{ACTIVITIES}/{seen.activity}/execute-now"
        await self._call("execute now", tenant, "POST", path, {}, activity=seen.activity)

    async def _retry_resolution(self, tenant: UUID, seen: Answer) -> None:
        path = f"{ACTIVITIES}/{seen.activity}/retry-resolution"
        await self._call("retry resolution", tenant, "PATCH", path, {}, activity=seen.activity)

    async def _assign_target(self, tenant: UUID, seen: Answer) -> None:
        """Assign the first user of the commerce to the activity's target."""
        for target in seen.body.get("targetUsers", ())[:1]:
            path = f"{ACTIVITIES}/{seen.activity}/target-users/{target['id']}/resolve"
            body = {"commerce_user_id": self._users[tenant]}
            await self._call("assign target", tenant, "PATCH", path, body, activity=seen.activity)

    async def _change_many(self) -> None:
        """Move or cancel the activities of a channel, and look at the operation, repeat it or stop it."""
        tenant, verb = self._random.choice(TENANTS), self._random.choice(("reschedule", "cancel", "reschedule"))
        body: Json = {
            "filter": {"channel": "SMS", "status": ["READY"]},
            "reason": "chaos",
            "per_second": self._random.choice((5, 50)),
            "operation_id": str(UUID(int=self._random.getrandbits(128), version=4)),
        } | ({"shift_seconds": 15} if verb == "reschedule" else {})
        action, path = f"bulk {verb}", f"{ACTIVITIES}/{verb}"
        await self._insist(action, tenant, "POST", path, body)
        if self._random.random() < 0.5:
            await self._call(action, tenant, "POST", path, body)
        await asyncio.sleep(self._random.uniform(0, 3))
        if self._random.random() < 0.5:
            await self._call("stop", tenant, "POST", f"/api/operations/{body['operation_id']}/stop")

    async def _pause(self) -> None:
        """Pause the second tenant for some seconds."""
        tenant, path = TENANTS[1], f"{CONFIG}/pause"
        await self._call("pause", tenant, "PUT", path, {"paused": True, "reason": "chaos"})
        with suppress(TimeoutError):
            await asyncio.wait_for(self._is_over.wait(), self._random.uniform(2, 6))
        resumed = None
        while resumed != 200:
            resumed = (await self._call("resume", tenant, "PUT", path, {"paused": False})).status
            await asyncio.sleep(1)

    # The executors

    async def _execute(self) -> None:
        """Claim activities, sometimes twice with one id, and hand each back in one of the ways of executors."""
        tenant = self._random.choice(TENANTS)
        body: Json = {
            "channels": list(CHANNELS),
            "limit": self._random.randint(1, 10),
            "lease_seconds": self._random.randint(5, 8),
            "wait_seconds": self._random.randint(0, 4),
            "executor": f"executor-{self._random.randrange(3)}",
        }
        if self._random.random() < 0.5:
            body["claim_id"] = str(UUID(int=self._random.getrandbits(128), version=4))
        answer = await self._call("claim", tenant, "POST", f"{EXECUTIONS}/claim", body)
        if answer.status in UNKNOWN and "claim_id" in body:
            answer = await self._call("claim", tenant, "POST", f"{EXECUTIONS}/claim", body)
        await asyncio.gather(*(self._work(tenant, claimed) for claimed in answer.body.get("data", ())))

    async def _work(self, tenant: UUID, claimed: Json) -> None:
        """Carry one activity out: report, extend and report, release, or keep silent until the lease is over."""
        lease = f"{EXECUTIONS}/{claimed['leaseToken']}"
        chance = self._random.random()
        if chance < 0.1:
            return
        if chance < 0.2:
            await self._call("release", tenant, "POST", f"{lease}/release", {"reason": "chaos"}, activity=claimed["id"])
            return
        if chance < 0.4:
            await self._call("extend", tenant, "POST", f"{lease}/extend", {"lease_seconds": 10}, activity=claimed["id"])
        await self._report(
            tenant, claimed, self._random.choice(("COMPLETED", "COMPLETED", "NOT_EXECUTED", "CANCELED", "PENDING"))
        )
        if chance > 0.9:
            await self._report(tenant, claimed, "COMPLETED", hard_override=True)

    async def _report(self, tenant: UUID, claimed: Json, status: str, **more: Any) -> None:
        """Report a result until its answer is known; every fifth one asks for a follow-up."""
        self._calls += 1
        body = {
            "activity_id": claimed["id"],
            "lease_token": claimed["leaseToken"],
            "occurred_at": now().isoformat(),
            "status": status,
            "external_status": f"result-{self._calls}",
        } | more
        if self._random.random() < 0.2:
            later = (now() + timedelta(seconds=self._random.uniform(5, 30))).isoformat()
            body["task_result"] = {"result": "call_back", "future_scheduled_at": later}
        await self._insist("result", tenant, "POST", "/api/activity-results/tasks", body)
