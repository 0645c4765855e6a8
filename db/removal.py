"""The removal of closed activities: their rows and everything that refers to them go, one row a key stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import CTE, LargeBinary, Uuid, cast, column, delete, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.fingerprints import hash_json, hash_request, hash_text
from db.models import (
    ActivityAttribute,
    ActivityResult,
    OfScheduledActivity,
    RemovedActivity,
    ResolutionAttempt,
    RetentionSettings,
    ScheduledActivity,
    StatusEvent,
    TargetUser,
)
from db.rows import Columns, Rows, address, fetch_row, fetch_rows
from workflows.hand_off import FINISHED
from workflows.messages import ScheduledActivityRequest
from workflows.words import RemovalCause

PARTS: tuple[type[OfScheduledActivity], ...] = (TargetUser, ActivityAttribute, StatusEvent, ResolutionAttempt)


class Removal(NamedTuple):
    """The remainder of an activity: its id, the hash of its request, and the cause and the time of its removal."""

    activity_id: UUID
    request_hash: bytes
    cause: RemovalCause
    removed_at: datetime


class _Removable(NamedTuple):
    """A closed activity as it is locked for its removal."""

    id: UUID
    idempotency_key: str
    request: Columns


async def remove_activities(
    connection: AsyncConnection, tenant_id: UUID, activity_ids: Sequence[UUID], cause: RemovalCause
) -> list[UUID]:
    """Remove those of the tenant's activities that are closed and not locked; return their ids."""
    closed = (
        select(ScheduledActivity.id, ScheduledActivity.idempotency_key, ScheduledActivity.request)
        .where(
            ScheduledActivity.tenant_id == tenant_id,
            ScheduledActivity.id.in_(activity_ids),
            ScheduledActivity.status.in_(FINISHED),
        )
        .with_for_update(skip_locked=True)
    )
    rows = await fetch_rows(connection, _Removable, closed)
    if rows:
        await connection.execute(_removal_statement(tenant_id, rows, cause))
    return [row.id for row in rows]


def _removal_statement(tenant_id: UUID, rows: Sequence[_Removable], cause: RemovalCause) -> Rows:
    """Build a DELETE of locked activities with their parts, and an INSERT of what stays of each."""
    gone = _gone_table(rows)
    parts = [_part_delete(part, tenant_id, gone) for part in PARTS]
    results = _part_delete(ActivityResult, tenant_id, gone)
    activities = (
        delete(ScheduledActivity).where(address(tenant_id, gone.c.id)).returning(ScheduledActivity.id).cte("activities")
    )
    hashed = func.sha256(func.convert_to(results.c.provider_activity_id, "UTF8"), type_=LargeBinary)
    provider_hashes = (
        select(func.array_agg(hashed.distinct()))
        .where(results.c.activity_id == activities.c.id, results.c.provider_activity_id.is_not(None))
        .scalar_subquery()
    )
    values: dict[str, Any] = {
        "tenant_id": literal(tenant_id),
        "activity_id": activities.c.id,
        "key_hash": gone.c.key_hash,
        "request_hash": gone.c.request_hash,
        "provider_hashes": func.coalesce(provider_hashes, cast([], ARRAY(LargeBinary))),
        "cause": literal(cause.value),
    }
    remainders = select(*values.values()).join_from(activities, gone, activities.c.id == gone.c.id)
    inserted = (
        upsert(RemovedActivity)
        .from_select(list(values), remainders)
        .returning(RemovedActivity.activity_id)
        .cte("inserted")
    )
    return select(func.count()).select_from(inserted).add_cte(*parts)


def _gone_table(rows: Sequence[_Removable]) -> Any:
    return (
        func.unnest(
            cast([row.id for row in rows], ARRAY(Uuid)),
            cast([hash_text(row.idempotency_key) for row in rows], ARRAY(LargeBinary)),
            cast([_hash(row.request) for row in rows], ARRAY(LargeBinary)),
        )
        .table_valued(column("id", Uuid), column("key_hash", LargeBinary), column("request_hash", LargeBinary))
        .render_derived("gone")
    )


def _part_delete(part: type[OfScheduledActivity], tenant_id: UUID, gone: Any) -> CTE:
    deleted = delete(part).where(part.tenant_id == tenant_id, part.activity_id == gone.c.id)
    kept = (part.activity_id, *((part.provider_activity_id,) if part is ActivityResult else ()))
    return deleted.returning(*kept).cte(f"gone_{part.__tablename__}")


def _hash(stored: Columns) -> bytes:
    try:
        return hash_request(ScheduledActivityRequest.model_validate(stored))
    except ValidationError:
        return hash_json(stored)  # this version can't parse it: only a request that is stored like it equals it


_REMOVALS = select(
    RemovedActivity.activity_id, RemovedActivity.request_hash, RemovedActivity.cause, RemovedActivity.removed_at
)


async def find_removal(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> Removal | None:
    """Return what stays of an activity that was removed, or None."""
    statement = _REMOVALS.where(RemovedActivity.tenant_id == tenant_id, RemovedActivity.activity_id == activity_id)
    return await fetch_row(connection, Removal, statement)


async def find_removal_of_key(connection: AsyncConnection, tenant_id: UUID, key: str) -> Removal | None:
    """Return what stays of the activity that had an idempotency key and was removed, or None."""
    statement = _REMOVALS.where(RemovedActivity.tenant_id == tenant_id, RemovedActivity.key_hash == hash_text(key))
    return await fetch_row(connection, Removal, statement)


async def find_removal_of_provider(connection: AsyncConnection, provider_activity_id: str) -> Removal | None:
    """Return what stays of the activity that was removed last of those with this provider's id, or None.

    A function with the rights of the table's owner finds it, by an index that serves no other role, in the tenant that
    is acted for.
    """
    found = func.find_removal_of_provider(hash_text(provider_activity_id)).table_valued(
        *(column(name, RemovedActivity.__table__.c[name].type) for name in Removal._fields)
    )
    return await fetch_row(connection, Removal, select(found))


async def read_retention_days(connection: AsyncConnection, tenant_id: UUID) -> int | None:
    """Return the days for which the tenant keeps closed activities, or None if it keeps them for ever."""
    statement = select(RetentionSettings.retention_days).where(RetentionSettings.tenant_id == tenant_id)
    days: int | None = (await connection.execute(statement)).scalar_one_or_none()
    return days


def retention_statement(tenant_id: UUID, days: int | None) -> Any:
    """Build the statement that sets the days for which the tenant keeps closed activities; None: for ever."""
    if days is None:
        return delete(RetentionSettings).where(RetentionSettings.tenant_id == tenant_id)
    statement = upsert(RetentionSettings).values(tenant_id=tenant_id, retention_days=days)
    return statement.on_conflict_do_update(index_elements=["tenant_id"], set_={"retention_days": days})
