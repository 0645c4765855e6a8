"""/api/activity-config/attribute-policies: how, and when, the value of an attribute key is found."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AliasChoices, Field, field_validator, model_validator
from sqlalchemy import Row, and_, case, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from api.configuration.catalogues import Code
from api.http.bodies import Json, invalid
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import UnknownAttributeKey, documented
from api.http.fields import Answer, RequestBody
from api.http.pages import Page, PageQuery, page_of
from db.models import AttributeKey, AttributePolicy
from workflows.messages import Fault
from workflows.resolution.attributes import INTERNAL_RESOLVERS
from workflows.words import AttributeStrategy, ResolverType

router = APIRouter(prefix="/api/activity-config/attribute-policies", tags=["configuration"])


class AttributePolicyUpsert(RequestBody):
    """How, and when, the value of a key is found; the key is named by itself or by its id."""

    key: Code | None = None
    attribute_key_id: UUID | None = None
    strategy: AttributeStrategy = Field(validation_alias=AliasChoices("strategy", "resolution_strategy"))
    resolver_type: ResolverType

    @field_validator("resolver_type")
    @classmethod
    def resolver_exists(cls, resolver_type: ResolverType) -> ResolverType:
        """A policy that can't work would leave every activity with this key UNRESOLVED."""
        if resolver_type is ResolverType.CLIENT_HOOK:
            msg = "can't be CLIENT_HOOK yet: this service doesn't call tenants' endpoints"
            raise ValueError(msg)
        return resolver_type

    @model_validator(mode="after")
    def is_consistent(self) -> Self:
        """What the caller brings along is neither looked up now nor later."""
        if (self.key is None) == (self.attribute_key_id is None):
            msg = "name the key by either key or attribute_key_id"
            raise ValueError(msg)
        by_strategy = self.strategy is AttributeStrategy.CALLER_PROVIDED
        if by_strategy != (self.resolver_type is ResolverType.CALLER_PROVIDED):
            msg = "the strategy CALLER_PROVIDED goes with the resolver type CALLER_PROVIDED, and only with that"
            raise ValueError(msg)
        return self


class AttributeKeyOfPolicyRead(Answer):
    """The key of a policy."""

    key: str
    label: str


class AttributePolicyRead(Answer):
    """How, and when, the value of a key is found; explanations name the version."""

    attribute_key_id: UUID
    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int
    attribute_key: AttributeKeyOfPolicyRead


class AttributePolicyQuery(PageQuery):
    """Which policies."""

    strategy: AttributeStrategy | None = None


_key = AttributeKey.__table__.c
_policy = AttributePolicy.__table__.c
_POLICIES = select(_key.id, _key.key, _key.label, _policy.strategy, _policy.resolver_type, _policy.version).join_from(
    AttributeKey, AttributePolicy, and_(_policy.tenant_id == _key.tenant_id, _policy.key == _key.key)
)


@router.get("", responses=documented())
async def list_attribute_policies(
    caller: CanView, opened: Opened, query: Annotated[AttributePolicyQuery, Query()]
) -> Page[AttributePolicyRead]:
    """The policies by key; a key without one is looked up in the service's own tables if it can be, at creation."""
    statement = _POLICIES.where(_key.tenant_id == caller.tenant_id).order_by(_key.key)
    if query.strategy is not None:
        statement = statement.where(_policy.strategy == query.strategy)
    return await page_of(opened.database, statement, query, _read)


@router.post(
    "",
    responses=documented(UnknownAttributeKey),
)
async def upsert_attribute_policy(
    caller: CanConfigure,
    opened: Opened,
    body: Json[AttributePolicyUpsert],
) -> AttributePolicyRead:
    """Set the policy of a key; attributes that have their value already keep it."""
    this = _key.key == body.key if body.key is not None else _key.id == body.attribute_key_id
    async with opened.database.autocommit.connect() as connection:
        found = await connection.execute(select(_key.key).where(_key.tenant_id == caller.tenant_id, this))
        key = found.scalar_one_or_none()
        if key is None:
            raise _unknown(body)
        _refuse_what_nobody_resolves(key, body.resolver_type)
        await connection.execute(_upsert(caller.tenant_id, key, body))
        row = (await connection.execute(_POLICIES.where(_key.tenant_id == caller.tenant_id, _key.key == key))).one()
    return _read(row)


def _upsert(tenant_id: UUID, key: str, body: AttributePolicyUpsert) -> Any:
    """The version counts changes: the same policy again is none."""
    statement = insert(AttributePolicy).values(
        tenant_id=tenant_id, key=key, strategy=body.strategy, resolver_type=body.resolver_type
    )
    sent = (statement.excluded.strategy, statement.excluded.resolver_type)
    differs = tuple_(_policy.strategy, _policy.resolver_type).is_distinct_from(tuple_(*sent))
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "key"],
        set_={"strategy": sent[0], "resolver_type": sent[1], "version": _policy.version + case((differs, 1), else_=0)},
    )


def _unknown(body: AttributePolicyUpsert) -> UnknownAttributeKey:
    pointer = "/key" if body.key is not None else "/attribute_key_id"
    detail = f"There is no attribute key {body.key or body.attribute_key_id}: add it to the catalogue first."
    return UnknownAttributeKey(detail, faults=(Fault(pointer=pointer, detail=detail),))


def _refuse_what_nobody_resolves(key: str, resolver_type: ResolverType) -> None:
    if resolver_type is ResolverType.INTERNAL_SERVICE and key not in INTERNAL_RESOLVERS:
        detail = f"The service's own tables know nothing of “{key}”, only of: {', '.join(INTERNAL_RESOLVERS)}."
        raise invalid([Fault(pointer="/resolver_type", detail=detail)])


def _read(row: Row[*tuple[Any, ...]]) -> AttributePolicyRead:
    return AttributePolicyRead(
        attribute_key_id=row.id,
        strategy=row.strategy,
        resolver_type=row.resolver_type,
        version=row.version,
        attribute_key=AttributeKeyOfPolicyRead(key=row.key, label=row.label),
    )
