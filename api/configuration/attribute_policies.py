"""/api/activity-config/attribute-policies: the rules by which attribute values are found."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AliasChoices, Field, WithJsonSchema, field_validator, model_validator
from sqlalchemy import RowMapping, and_, case, select, tuple_
from sqlalchemy.dialects.postgresql import Insert, insert

from api.configuration.catalogues import Code
from api.http.bodies import Json, validation_problem
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import UnknownAttributeKey, problem_responses
from api.http.fields import Answer, RequestBody
from api.http.pages import Page, PageQuery, read_page
from db.models import AttributeKey, AttributePolicy
from workflows.messages import Fault
from workflows.resolution.attributes import INTERNAL_RESOLVERS
from workflows.words import AttributeStrategy, ResolverType

router = APIRouter(prefix="/api/activity-config/attribute-policies", tags=["configuration"])


_ACCEPTED_RESOLVERS = {"type": "string", "enum": [one for one in ResolverType if one is not ResolverType.CLIENT_HOOK]}


class AttributePolicyUpsert(RequestBody):
    """The policy of an attribute key. Name the key by `key` or by `attribute_key_id`."""

    key: Code | None = None
    attribute_key_id: UUID | None = None
    strategy: AttributeStrategy = Field(validation_alias=AliasChoices("strategy", "resolution_strategy"))
    resolver_type: Annotated[ResolverType, WithJsonSchema(_ACCEPTED_RESOLVERS)]

    @field_validator("resolver_type")
    @classmethod
    def check_resolver(cls, resolver_type: ResolverType) -> ResolverType:
        """Reject CLIENT_HOOK: it would leave every activity with this key UNRESOLVED."""
        if resolver_type is ResolverType.CLIENT_HOOK:
            msg = "can't be CLIENT_HOOK yet: this service doesn't call tenants' endpoints"
            raise ValueError(msg)
        return resolver_type

    @model_validator(mode="after")
    def check_consistency(self) -> Self:
        """Require one name of the key, and CALLER_PROVIDED in both members or in neither."""
        if (self.key is None) == (self.attribute_key_id is None):
            msg = "name the key by either key or attribute_key_id"
            raise ValueError(msg)
        by_strategy = self.strategy is AttributeStrategy.CALLER_PROVIDED
        if by_strategy != (self.resolver_type is ResolverType.CALLER_PROVIDED):
            msg = "the strategy CALLER_PROVIDED goes with the resolver type CALLER_PROVIDED, and only with that"
            raise ValueError(msg)
        return self


class AttributeKeyOfPolicyRead(Answer):
    """The attribute key of a policy."""

    key: str
    label: str


class AttributePolicyRead(Answer):
    """The policy of an attribute key. Explanations refer to its version."""

    attribute_key_id: UUID
    strategy: AttributeStrategy
    resolver_type: ResolverType
    version: int
    attribute_key: AttributeKeyOfPolicyRead


class AttributePolicyQuery(PageQuery):
    """The policies to return."""

    strategy: AttributeStrategy | None = None


_key = AttributeKey.__table__.c
_policy = AttributePolicy.__table__.c
_POLICIES = select(_key.id, _key.key, _key.label, _policy.strategy, _policy.resolver_type, _policy.version).join_from(
    AttributeKey, AttributePolicy, and_(_policy.tenant_id == _key.tenant_id, _policy.key == _key.key)
)


@router.get("", responses=problem_responses())
async def list_attribute_policies(
    caller: CanView, opened: Opened, query: Annotated[AttributePolicyQuery, Query()]
) -> Page[AttributePolicyRead]:
    """List the attribute policies, by key.

    The value of a key without a policy is looked up at creation in the service's own tables, if they have that key.
    """
    statement = _POLICIES.where(_key.tenant_id == caller.tenant_id).order_by(_key.key)
    if query.strategy is not None:
        statement = statement.where(_policy.strategy == query.strategy)
    return await read_page(opened.database, statement, query, _read)


@router.post(
    "",
    responses=problem_responses(UnknownAttributeKey),
)
async def upsert_attribute_policy(
    caller: CanConfigure,
    opened: Opened,
    body: Json[AttributePolicyUpsert],
) -> AttributePolicyRead:
    """Set the policy of an attribute key. Attributes that have a value already keep it."""
    is_named = _key.key == body.key if body.key is not None else _key.id == body.attribute_key_id
    async with opened.database.begin_as(caller.subject) as connection:
        found = await connection.execute(select(_key.key).where(_key.tenant_id == caller.tenant_id, is_named))
        key = found.scalar_one_or_none()
        if key is None:
            raise _unknown_key(body)
        _require_internal_resolver(key, body.resolver_type)
        await connection.execute(_upsert_statement(caller.tenant_id, key, body))
        row = (
            (await connection.execute(_POLICIES.where(_key.tenant_id == caller.tenant_id, _key.key == key)))
            .mappings()
            .one()
        )
    return _read(row)


def _upsert_statement(tenant_id: UUID, key: str, body: AttributePolicyUpsert) -> Insert:
    """Compose the statement that writes the policy; the version increases only if the policy differs."""
    statement = insert(AttributePolicy).values(
        tenant_id=tenant_id, key=key, strategy=body.strategy, resolver_type=body.resolver_type
    )
    sent = (statement.excluded.strategy, statement.excluded.resolver_type)
    differs = tuple_(_policy.strategy, _policy.resolver_type).is_distinct_from(tuple_(*sent))
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "key"],
        set_={"strategy": sent[0], "resolver_type": sent[1], "version": _policy.version + case((differs, 1), else_=0)},
    )


def _unknown_key(body: AttributePolicyUpsert) -> UnknownAttributeKey:
    pointer = "/key" if body.key is not None else "/attribute_key_id"
    detail = f"This tenant has no attribute key {body.key or body.attribute_key_id}. Add it to the catalogue first."
    return UnknownAttributeKey(detail, faults=(Fault(pointer=pointer, detail=detail),))


def _require_internal_resolver(key: str, resolver_type: ResolverType) -> None:
    """Reject an INTERNAL_SERVICE policy for a key that the service's own tables don't have."""
    if resolver_type is ResolverType.INTERNAL_SERVICE and key not in INTERNAL_RESOLVERS:
        detail = f"The service's own tables have no “{key}”. They have: {', '.join(INTERNAL_RESOLVERS)}."
        raise validation_problem([Fault(pointer="/resolver_type", detail=detail)])


def _read(row: RowMapping) -> AttributePolicyRead:
    return AttributePolicyRead(
        attribute_key_id=row["id"],
        strategy=row["strategy"],
        resolver_type=row["resolver_type"],
        version=row["version"],
        attribute_key=AttributeKeyOfPolicyRead(key=row["key"], label=row["label"]),
    )
