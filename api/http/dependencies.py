"""Dependencies of routes: the process's resources, and a caller with a permission in a tenant."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from fastapi import Depends, Header, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from limits import RateLimitItem, RateLimitItemPerSecond
from pydantic import TypeAdapter
from temporalio.client import Client

from api.http.api_keys import ApiKeys
from api.http.auth import Authenticator, Caller, Permission, Token
from api.http.bodies import reads_body
from api.http.errors import TenantDenied, Unauthenticated, ValidationFailed
from api.http.figures import Backlog
from api.http.metrics import Exposition
from api.http.quotas import READ_PATIENCE_SECONDS, Quotas
from api.http.rate_limits import MEMORY, RateLimits
from api.http.single_values import check_query, single_header
from api.http.turns import Turns, take_turn
from db.due_watch import DueWatch
from db.engine import Database
from db.tenant import act_for
from runs.lead import Lead
from workflows.messages import Fault
from workflows.tenant_limits import EXPLAIN_REQUESTS, FIGURES_SECONDS, LOOKUPS, LOOKUPS_SECONDS


@dataclass(frozen=True)
class Resources:
    """The connections that the process has opened, and the settings that routes use."""

    database: Database
    temporal: Client
    authenticator: Authenticator
    temporal_ui_url: str
    answer_deadline_seconds: float
    lead: Lead
    due_watch: DueWatch
    synchronizing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while an item of a synchronization is judged: of all synchronizations, one item at a time."""
    parsing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a long body is parsed: one at a time, and other requests have their turn before the next."""
    explaining: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a dry run decides, which takes some milliseconds: other requests have their turn before the next."""
    accepting: WeakValueDictionary[UUID, asyncio.Semaphore] = field(default_factory=WeakValueDictionary)
    """Held by tenant while a bulk change is counted and accepted: a few at a time, so that others have their turns."""
    lookups: RateLimitItem = field(default_factory=lambda: RateLimitItemPerSecond(LOOKUPS, LOOKUPS_SECONDS))
    """The questions to Temporal's list that a tenant may ask by ids of activities without a row."""
    rate_limit_storage_uri: str = MEMORY
    figures_seconds: float = FIGURES_SECONDS
    quota_patience_seconds: float = READ_PATIENCE_SECONDS
    codec_allowed_origin: str | None = None
    link_traces: Callable[[Iterable[str | None]], None] = field(default=lambda _: None)
    """Link the span of the request to others, if the process is traced."""

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Return the verifier of API keys."""
        return ApiKeys(self.database)

    @cached_property
    def quotas(self) -> Quotas:
        """Return the reader of the tenants' quotas."""
        return Quotas(self.database, self.quota_patience_seconds)

    @cached_property
    def turns(self) -> Turns:
        """Return the turns of the tenants' requests."""
        return Turns(self.quotas)

    @cached_property
    def exposition(self) -> Exposition:
        """Return the composer of the metrics."""
        backlog = Backlog(self.database, self.temporal, self.lead.max_seconds, self.figures_seconds)
        return Exposition(backlog, self.turns)

    @cached_property
    def rate_limits(self) -> RateLimits:
        """Return the counters of requests and items."""
        return RateLimits(self.rate_limit_storage_uri, self.quotas)


async def get_resources(request: Request) -> Resources:
    """Return the lifespan's resources. It is async because FastAPI runs other functions in a thread."""
    found: Resources = request.state.resources
    return found


Opened = Annotated[Resources, Depends(get_resources)]

TENANT = (
    "The tenant's UUID. Required with a token, which must name it. An API key has one tenant, the only one to name."
)
ANY_TENANT = (
    "The tenant whose `permissions` are wanted: its UUID, which the token must name. Optional. Required with a token in"
    " all other operations."
)
_UUID = TypeAdapter(UUID)
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="A signed token with the claim `tenants`.")
_api_key = APIKeyHeader(
    name="x-api-key", auto_error=False, description="An API key of the tenant, in place of a token."
)


REQUIRED: dict[Callable[..., object], Permission | None] = {}
"""The first permission that each dependency enforces, from which the OpenAPI document names it; None for none."""


def require(*permissions: Permission, requests: int = 1) -> Callable[..., Awaitable[Caller]]:
    """Return the dependency that requires permissions in a tenant: the API key's, or that of `x-tenant-id`.

    A call counts as so many `requests`, and then waits for its turn; one with a body reads it first.
    """

    async def authenticate(
        request: Request,
        opened: Opened,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
        _: Annotated[str | None, Security(_api_key)],
        x_tenant_id: Annotated[list[str] | None, Header(description=TENANT)] = None,
    ) -> Caller:
        bind_place(request)
        tenants = x_tenant_id or []
        if "x-api-key" in request.headers:
            caller = await _identify_key(request, opened, tenants)
        else:
            caller = _choose_tenant(await _verify_bearer(request, opened, credentials), tenants)
        caller = _note_caller(request, caller)
        for permission in permissions:
            if not caller.may(permission):
                raise caller.describe_lack(permission)
        await opened.rate_limits.take_request(caller, request, requests)
        await check_query(request)
        await opened.turns.begin(request, caller.tenant_id)
        if not reads_body(request.scope["route"]):
            await take_turn(request)
        return caller

    REQUIRED[authenticate] = permissions[0]
    return authenticate


@dataclass(frozen=True)
class Identity:
    """The bearer of a valid credential: the permissions by tenant, and the tenant of the request if there is one."""

    caller: Caller
    is_in_tenant: bool
    tenants: Mapping[UUID, frozenset[str]]
    deployment: frozenset[str]


NO_TENANT = UUID(int=0)
"""Stands for the tenant of a caller that names none, where requests are counted."""


async def identify(
    request: Request,
    opened: Opened,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    _: Annotated[str | None, Security(_api_key)],
    x_tenant_id: Annotated[list[str] | None, Header(description=ANY_TENANT)] = None,
) -> Identity:
    """Return the bearer of any valid credential; a token needs no `x-tenant-id` here, and no permission."""
    bind_place(request)
    tenants, deployment = x_tenant_id or [], frozenset[str]()
    if "x-api-key" in request.headers:
        caller = await _identify_key(request, opened, tenants)
        named = {caller.tenant_id: caller.permissions}
    else:
        token = await _verify_bearer(request, opened, credentials)
        named, deployment = token.tenants, token.deployment
        tenants = tenants or [str(one) for one in named if len(named) == 1]
        caller = (
            _choose_tenant(token, tenants)
            if tenants
            else Caller(subject=token.sub, tenant_id=NO_TENANT, permissions=frozenset())
        )
    caller = _note_caller(request, caller)
    await opened.rate_limits.take_request(caller, request)
    await check_query(request)
    return Identity(caller, caller.tenant_id in named, named, deployment)


REQUIRED[identify] = None
Identified = Annotated[Identity, Depends(identify)]


async def _verify_bearer(
    request: Request, opened: Resources, credentials: HTTPAuthorizationCredentials | None
) -> Token:
    if credentials is None or len(request.headers.getlist("authorization")) > 1:
        raise Unauthenticated("Send `Authorization: Bearer <token>` or `x-api-key: <key>` once.", challenge="Bearer")
    return await opened.authenticator.verify(credentials.credentials)


def _choose_tenant(token: Token, tenants: list[str]) -> Caller:
    """Return the token's bearer in the tenant that `x-tenant-id` names."""
    tenant_id = _parse_tenant_id(single_header("x-tenant-id", tenants))
    structlog.contextvars.bind_contextvars(tenant_id=str(tenant_id))
    if tenant_id not in token.tenants:
        raise TenantDenied(f"The token doesn't name tenant {tenant_id}.")
    act_for(tenant_id)
    return Caller(subject=token.sub, tenant_id=tenant_id, permissions=token.tenants[tenant_id])


def require_one_credential(request: Request) -> None:
    """Refuse a request with a token and an API key: which of the two counts is not for us to choose."""
    both = ("authorization", "x-api-key")
    if all(name in request.headers for name in both):
        faults = tuple(Fault(pointer=f"/header/{name}", detail="Send one of the two.") for name in both)
        raise ValidationFailed("Send either `Authorization` or `x-api-key`, not both.", faults=faults)


async def _identify_key(request: Request, opened: Resources, tenants: list[str]) -> Caller:
    require_one_credential(request)
    caller = await opened.api_keys.verify(single_header("x-api-key", request.headers.getlist("x-api-key")))
    structlog.contextvars.bind_contextvars(tenant_id=str(caller.tenant_id))
    if tenants and _parse_tenant_id(single_header("x-tenant-id", tenants)) != caller.tenant_id:
        raise TenantDenied("The API key belongs to another tenant than `x-tenant-id` names.")
    act_for(caller.tenant_id)
    return caller


def bind_place(request: Request) -> None:
    """Add the route, and the activity that the path names, to each log line of the request from here on."""
    structlog.contextvars.bind_contextvars(route=request.scope["route"].path)
    with suppress(ValueError):  # another text is refused later, and is not for the log
        activity_id = _UUID.validate_python(request.path_params.get("activity_id"))
        structlog.contextvars.bind_contextvars(activity_id=str(activity_id))


def _note_caller(request: Request, caller: Caller) -> Caller:
    """Add the actor to each log line of the request from here on, and return the caller with the request's id."""
    structlog.contextvars.bind_contextvars(actor=caller.subject)
    return caller.model_copy(update={"request_id": request.state.request_id})


def _parse_tenant_id(header: str) -> UUID:
    try:
        return _UUID.validate_python(header)
    except ValueError:
        fault = Fault(pointer="/header/x-tenant-id", detail="This header must be the tenant's UUID.")
        raise ValidationFailed("Send the header `x-tenant-id` with the tenant's UUID.", faults=(fault,)) from None


CanCreate = Annotated[Caller, Depends(require(Permission.CREATE_ACTIVITY))]
CanView = Annotated[Caller, Depends(require(Permission.VIEW_ACTIVITIES))]
CanExplain = Annotated[
    Caller,
    Depends(require(Permission.CREATE_ACTIVITY, Permission.VIEW_ACTIVITIES, requests=EXPLAIN_REQUESTS)),
]
CanCancel = Annotated[Caller, Depends(require(Permission.CANCEL_ACTIVITY))]
CanDispatch = Annotated[Caller, Depends(require(Permission.DISPATCH_ACTIVITY))]
CanConfigure = Annotated[Caller, Depends(require(Permission.MANAGE_ACTIVITY_CONFIG))]
CanConfigureAndErase = Annotated[
    Caller, Depends(require(Permission.MANAGE_ACTIVITY_CONFIG, Permission.ERASE_PERSONAL_DATA))
]
CanErase = Annotated[Caller, Depends(require(Permission.ERASE_PERSONAL_DATA))]
CanManage = Annotated[Caller, Depends(require(Permission.MANAGE_COMMERCES))]
CanSync = Annotated[Caller, Depends(require(Permission.SYNC_COMMERCES))]
CanOperate = Annotated[Caller, Depends(require(Permission.OPERATE))]
CanSubmitResult = Annotated[Caller, Depends(require(Permission.SUBMIT_ACTIVITY_RESULT))]
CanManageKeys = Annotated[Caller, Depends(require(Permission.MANAGE_API_KEYS))]
