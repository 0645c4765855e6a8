"""The statement that counts all tenants' activities for the metrics."""

from typing import NamedTuple

from sqlalchemy import Double, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import JSONB

from db.rows import Rows


class Figures(NamedTuple):
    """The state of all tenants' activities at one moment. NaN is an unknown number, as in Prometheus."""

    overdue: float
    """READY after their time: no worker has marked them."""
    oldest_overdue_seconds: float
    unresolved: float
    due_soon: float
    """READY, and due within the lead: work that the workers have before them."""
    due: dict[str, tuple[float, float]]
    """By channel, the number of DUE activities that no executor has claimed, and the age of the oldest in seconds."""
    expired_leases: float
    """Leases that have run out, and that neither a claim nor reconciliation has taken back."""


_figures = func.backlog_figures(bindparam("lead_seconds", type_=Double)).table_valued(
    *(column(name) for name in Figures._fields[:4]), column("due", JSONB), column("expired_leases")
)
FIGURES: Rows = select(*_figures.c)
"""The `Figures`, with the parameter `lead_seconds`, by a function with the rights of the tables' owner.

Each part reads a partial index, whatever the number of rows, and counts 100,000 at most.
"""
