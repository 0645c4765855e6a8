"""Tenants' own quotas, and the count that one of them limits."""

from typing import Any
from uuid import UUID

from sqlalchemy import Delete, Select, Uuid, column, delete, func, literal, select
from sqlalchemy.dialects.postgresql import Insert, insert

from db.models import ScheduledActivity, TenantQuota
from workflows.words import OPEN

_quotas = func.list_quotas().table_valued(column("tenant_id", Uuid), column("name"), column("value"))
QUOTAS_STATEMENT = select(*_quotas.c)
"""Select all tenants' quotas, by a function with the rights of the tables' owner."""


def quota_statement(tenant_id: UUID, name: str, value: int | None) -> Insert | Delete:
    """Build the statement that sets a tenant's quota; None removes it, so that the default is in force."""
    if value is None:
        return delete(TenantQuota).where(TenantQuota.tenant_id == tenant_id, TenantQuota.name == name)
    statement = insert(TenantQuota).values(tenant_id=tenant_id, name=name, value=value)
    return statement.on_conflict_do_update(index_elements=["tenant_id", "name"], set_={"value": value})


def open_activities_statement(tenant_id: UUID, most: int) -> Select[Any]:
    """Build the statement that counts a tenant's open activities, up to so many: counting more takes longer."""
    is_open = (ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.status.in_(OPEN))
    return select(func.count()).select_from(select(literal(1)).where(*is_open).limit(most).subquery())
