"""Statements of API keys: look one up by its hash, note its use, create it, revoke it."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Delete,
    Interval,
    LargeBinary,
    Text,
    Update,
    Uuid,
    bindparam,
    cast,
    column,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.models import ApiKey
from db.rows import NOW, Rows

_USE_INTERVAL = cast("1 minute", Interval)


class FoundKey(NamedTuple):
    """A key as it was looked up. `seconds_left` is None if it never expires."""

    tenant_id: UUID
    id: UUID
    permissions: list[str]
    seconds_left: float | None
    is_use_unnoted: bool


_is_use_unnoted = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= NOW - _USE_INTERVAL)

_found = func.find_api_key(bindparam("key_hash", type_=LargeBinary)).table_valued(
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("permissions", ARRAY(Text)),
    column("seconds_left"),
    column("is_use_unnoted", Boolean),
)
FIND_KEY_STATEMENT: Rows = select(*_found.c)
"""Select the `FoundKey` of a hash, by a function with the rights of the tables' owner: its tenant isn't known yet."""

_unnoted = (
    select(ApiKey.id)
    .where(
        ApiKey.tenant_id == bindparam("of_tenant", type_=Uuid),
        ApiKey.id == bindparam("key_id", type_=Uuid),
        _is_use_unnoted,
    )
    .with_for_update(skip_locked=True)  # another request notes it at this moment, or the key is being revoked
    .scalar_subquery()
)
NOTE_USE_STATEMENT: Update = (
    update(ApiKey)
    .where(ApiKey.tenant_id == bindparam("of_tenant", type_=Uuid), ApiKey.id == _unnoted)
    .values(last_used_at=NOW)
)
"""Note that a key is in use, unless that was noted within a minute."""


def count_keys_statement(tenant_id: UUID) -> Rows:
    """Count a tenant's keys."""
    return select(func.count()).where(ApiKey.tenant_id == tenant_id)


def revoke_statement(tenant_id: UUID, key_id: UUID) -> Delete:
    """Build a DELETE of a key."""
    return delete(ApiKey).where(ApiKey.tenant_id == tenant_id, ApiKey.id == key_id)


def list_keys_statement(tenant_id: UUID) -> Rows:
    """Select a tenant's keys, the newest first, without their hashes."""
    columns = [column for column in ApiKey.__table__.columns if column is not ApiKey.__table__.c.key_hash]
    return select(*columns).where(ApiKey.tenant_id == tenant_id).order_by(ApiKey.created_at.desc(), ApiKey.id)
