"""/api/activity-config/target-resolution: the criteria by which target users are found."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import APIRouter, Query
from psycopg.errors import UniqueViolation
from pydantic import AliasChoices, Field, JsonValue
from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from api.activities.schemas import Criterion
from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import AlreadyExists, LimitReached, NotFound, problem_responses
from api.http.fields import LIST_LENGTH, Answer, Int32, PartialUpdate, RequestBody
from api.http.limits import require_within
from api.http.pages import Page, PageQuery, read_page
from db.limits import count_statement
from db.models import TargetConfig
from db.rows import ADVISORY_LOCK_STATEMENT, lock_parameters
from workflows.tenant_limits import TARGET_CONFIGS
from workflows.words import ActivityType, Channel, CriterionType, TargetStrategy

router = APIRouter(prefix="/api/activity-config/target-resolution", tags=["configuration"])

Priority = Annotated[Int32, Field(description="Lower comes first. Unique among active configurations.")]
Criteria = Annotated[
    list[Criterion],
    Field(max_length=LIST_LENGTH, description="Lowest `priority` first."),
]
_STRATEGY = AliasChoices("resolution_strategy", "strategy")


class TargetConfigCreate(RequestBody):
    """The criteria of a configuration, and when they apply. Without selectors it applies to every activity."""

    resolution_strategy: TargetStrategy = Field(validation_alias=_STRATEGY)
    fallback_to_commerce_rep: bool = True
    fallback_to_owner: bool = True
    priority: Priority = 0
    channel: Channel | None = Field(default=None, description="Only for activities on this channel.")
    type: ActivityType | None = Field(default=None, description="Only for activities of this type.")
    criteria: Criteria = Field(default_factory=list)
    is_active: bool = True


class TargetConfigUpdate(PartialUpdate):
    """Changes to a configuration. `criteria` are replaced as a whole; a selector that is null is removed."""

    clearable: ClassVar[frozenset[str]] = frozenset({"channel", "type"})

    resolution_strategy: TargetStrategy | None = Field(default=None, validation_alias=_STRATEGY)
    fallback_to_commerce_rep: bool | None = None
    fallback_to_owner: bool | None = None
    priority: Priority | None = None
    channel: Channel | None = None
    type: ActivityType | None = None
    criteria: Criteria | None = None
    is_active: bool | None = None


class CriterionRead(Answer):
    """A criterion of a configuration."""

    criteria_type: CriterionType
    criteria_config: dict[str, JsonValue]
    priority: int


class TargetConfigRead(Answer):
    """A configuration. Explanations refer to its id and version."""

    id: UUID
    resolution_strategy: TargetStrategy
    fallback_to_commerce_rep: bool
    fallback_to_owner: bool
    priority: int
    channel: Channel | None
    type: ActivityType | None
    criteria: list[CriterionRead]
    is_active: bool
    version: int


class TargetConfigQuery(PageQuery):
    """The configurations to return."""

    is_active: bool | None = None
    channel: Channel | None = None
    type: ActivityType | None = None


@router.get("", responses=problem_responses())
async def list_target_configs(
    caller: CanView, opened: Opened, query: Annotated[TargetConfigQuery, Query()]
) -> Page[TargetConfigRead]:
    """List the configurations in the order of their priority. The first active one that matches applies."""
    statement = select(TargetConfig.__table__).where(TargetConfig.tenant_id == caller.tenant_id)
    wanted = query.model_dump(include={"is_active", "channel", "type"}, exclude_none=True)
    statement = statement.filter_by(**wanted).order_by(TargetConfig.priority, TargetConfig.id)
    return await read_page(opened.database, statement, query, _read)


@router.get("/{config_id}", responses=problem_responses(NotFound))
async def get_target_config(caller: CanView, opened: Opened, config_id: UUID) -> TargetConfigRead:
    """Retrieve a configuration."""
    statement = select(TargetConfig.__table__).where(
        TargetConfig.tenant_id == caller.tenant_id, TargetConfig.id == config_id
    )
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
    return _read_found(row, config_id)


@router.post("", status_code=201, responses=problem_responses(AlreadyExists, LimitReached))
async def create_target_config(
    caller: CanConfigure,
    opened: Opened,
    body: Json[TargetConfigCreate],
) -> TargetConfigRead:
    """Create a configuration."""
    values = _columns(body.model_dump(mode="json"))
    statement = insert(TargetConfig).values(tenant_id=caller.tenant_id, **values)
    limit = await opened.quotas.find_limit(caller.tenant_id, TARGET_CONFIGS)
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters("target configurations", caller.tenant_id))
        row = await _execute(connection, statement.returning(*TargetConfig.__table__.columns))
        count = count_statement(TargetConfig, caller.tenant_id)
        await require_within(connection, limit, count, "This tenant")
    assert row is not None  # noqa: S101 - an INSERT returns its row or raises
    return _read(row)


@router.patch("/{config_id}", responses=problem_responses(NotFound, AlreadyExists))
async def update_target_config(
    caller: CanConfigure,
    opened: Opened,
    config_id: UUID,
    body: Json[TargetConfigUpdate],
) -> TargetConfigRead:
    """Change or deactivate a configuration. Target users that were found before stay as they are."""
    statement = (
        update(TargetConfig)
        .where(TargetConfig.tenant_id == caller.tenant_id, TargetConfig.id == config_id)
        .values(version=TargetConfig.version + 1, **_columns(body.changes()))
    )
    async with opened.database.begin_as(caller.subject) as connection:
        row = await _execute(connection, statement.returning(*TargetConfig.__table__.columns))
    return _read_found(row, config_id)


async def _execute(
    connection: AsyncConnection,
    statement: ReturningInsert[*tuple[Any, ...]] | ReturningUpdate[*tuple[Any, ...]],
) -> RowMapping | None:
    """Execute the statement; a unique index rejects a second active configuration with the same priority."""
    try:
        return (await connection.execute(statement)).mappings().one_or_none()
    except IntegrityError as failure:
        if isinstance(failure.orig, UniqueViolation):
            raise AlreadyExists("Another active configuration has this priority: choose a different one.") from failure
        raise


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a body's members; absent members of a criterion's config aren't stored."""
    if "resolution_strategy" in values:
        values["strategy"] = values.pop("resolution_strategy")
    for criterion in values.get("criteria", ()):
        criterion["config"] = {name: value for name, value in criterion["config"].items() if value is not None}
    return values


def _read_found(row: RowMapping | None, config_id: UUID) -> TargetConfigRead:
    if row is None:
        raise NotFound(f"This tenant has no target configuration {config_id}.")
    return _read(row)


def _read(row: RowMapping) -> TargetConfigRead:
    criteria = [
        {"criteria_type": one["type"], "criteria_config": one["config"], "priority": one["priority"]}
        for one in row["criteria"]
    ]
    return TargetConfigRead.model_validate({**row, "resolution_strategy": row["strategy"], "criteria": criteria})
