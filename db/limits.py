"""Counts of the rows that have a limit.

A row is added first and counted then, in one transaction: a repetition is told from a row too many by the constraint.
Both happen under a lock, because two that add at once would each count without the other's row.
"""

from uuid import UUID

from sqlalchemy import func, select

from db.models import AttributeKey, CatalogueEntry, TargetConfig
from db.rows import Rows


def count_statement(table: type[AttributeKey | CatalogueEntry | TargetConfig], tenant_id: UUID) -> Rows:
    """Count a tenant's rows."""
    return select(func.count()).where(table.tenant_id == tenant_id)


def count_aliases_statement(entry: type[CatalogueEntry], tenant_id: UUID) -> Rows:
    """Count the aliases of a tenant's entries."""
    return select(func.coalesce(func.sum(func.cardinality(entry.aliases)), 0)).where(entry.tenant_id == tenant_id)
