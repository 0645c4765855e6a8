"""The statements behind the list of activities: every filter is one range of an index, or a few that are merged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, not_, or_, select, text, tuple_, union_all

from db.models import Commerce, ScheduledActivity
from db.rows import NOW, Expression, Rows
from db.snapshots import SNAPSHOTS, is_marked_ahead, status_ranges
from workflows.messages import ActivityFilter
from workflows.words import ActivityStatus, ActivityType, Channel


class Range(NamedTuple):
    """Conditions that an index serves. If it has `few` rows, they are all read and then sorted.

    For few rows it costs more to follow the index of the requested order and to skip all other rows.
    """

    conditions: tuple[ColumnElement[bool], ...] = ()
    few: bool = False


STORED = [status for status in ActivityStatus if status not in {ActivityStatus.RESOLVING, ActivityStatus.REJECTED}]
"""Every status that a row can have."""

LATE_MS: ColumnElement[int] = literal_column("1000")
"""A literal, not a parameter, so that the planner recognizes the partial index of late activities."""

PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""Executed first in a transaction that lists: a generic plan read a million rows for some values."""

READ_WHOLE = 50_000
"""The most rows of a search that are read whole and sorted, in some 10 ms."""

_LAST_CHARACTER = "\U0010ffff"


class Position(NamedTuple):
    """The position of a row in an ordered list. Rows that are added later don't move it."""

    at: datetime
    id: UUID


@dataclass(frozen=True)
class Slice:
    """A part of the list: `limit` rows in this order, after a position or after a number of rows."""

    limit: int
    sort: str = "created_at"
    descending: bool = True
    after: Position | None = None
    offset: int = 0

    @property
    def column(self) -> Expression:
        """Return the column by which the list is sorted."""
        return ScheduledActivity.__table__.c[self.sort]

    def order(self, at: Expression, row_id: Expression) -> tuple[Expression, ...]:
        """Return the order of the list; the id makes it unique."""
        return (at.desc(), row_id.desc()) if self.descending else (at.asc(), row_id.asc())


@dataclass(frozen=True)
class Listed:
    """The activities of a tenant that match a filter.

    `paused` is the time since which the tenant is paused; `many` says that more than `READ_WHOLE` rows match.
    """

    tenant_id: UUID
    filter: ActivityFilter
    paused: datetime | None
    many: bool = False

    def snapshots_statement(self, part: Slice) -> Rows:
        """Whole activities, in order. Only rows of the page, and those before it, are read."""
        found = union_all(*(self._ids_statement(ranged, part) for ranged in self._ranges())).subquery("found")
        order = part.order(found.c.at, found.c.id)
        page = select(found).order_by(*order).limit(part.limit).offset(part.offset).subquery("page")
        return (
            SNAPSHOTS.join_from(ScheduledActivity, page, ScheduledActivity.id == page.c.id)
            .where(ScheduledActivity.tenant_id == self.tenant_id)
            .order_by(*part.order(page.c.at, page.c.id))
        )

    def count_statement(self, bound: int) -> Rows:
        """Select the number of the activities, counted up to `bound`."""
        one: ColumnElement[int] = literal_column("1")
        ones = [select(one.label("one")).where(*ranged.conditions).limit(bound) for ranged in self._ranges()]
        return select(func.count()).select_from(select(union_all(*ones).subquery()).limit(bound).subquery())

    def ids_statement(self, limit: int) -> Rows:
        """Select the ids and times of the activities, the soonest first."""
        part = Slice(limit, sort="scheduled_at", descending=False)
        found = union_all(*(self._ids_statement(ranged, part) for ranged in self._ranges())).subquery("found")
        return select(found.c.id, found.c.at).order_by(found.c.at, found.c.id).limit(limit)

    def conditions(self) -> Iterator[tuple[ColumnElement[bool], ...]]:
        """Yield the conditions of disjoint ranges that together are the activities."""
        return (ranged.conditions for ranged in self._ranges())

    def _ids_statement(self, ranged: Range, part: Slice) -> Rows:
        at, row_id = part.column, ScheduledActivity.id
        if ranged.few or (self.filter.late and part.sort != "scheduled_at"):
            at = func.greatest(at)  # equal to the column, but no index has its order: the planner then sorts the rows
        statement: Rows = select(row_id, at.label("at")).where(*ranged.conditions)
        if part.after:
            here, there = tuple_(at, row_id), tuple_(*part.after)
            statement = statement.where(here < there if part.descending else here > there)
        return statement.order_by(*part.order(at, row_id)).limit(part.offset + part.limit)

    def _ranges(self) -> Iterator[Range]:
        """Yield disjoint ranges that together are the whole filter."""
        always = (ScheduledActivity.tenant_id == self.tenant_id, *self._plain_conditions())
        for chosen in product(self._status_ranges(), self._late_ranges(), self._search_ranges(), self._kind_ranges()):
            conditions = (*always, *(condition for part in chosen for condition in part.conditions))
            yield Range(conditions, few=any(part.few for part in chosen))

    def _plain_conditions(self) -> Iterator[ColumnElement[bool]]:
        wanted = self.filter
        yield from _equal(ScheduledActivity.commerce_id, wanted.commerce_id)
        yield from _equal(ScheduledActivity.reason_code, wanted.reason)
        yield from _equal(ScheduledActivity.idempotency_key, wanted.idempotency_key)
        if wanted.scheduled_from:
            yield ScheduledActivity.scheduled_at >= wanted.scheduled_from
        if wanted.scheduled_to:
            yield ScheduledActivity.scheduled_at < wanted.scheduled_to

    def _status_ranges(self) -> list[Range]:
        """Return the ranges of the statuses.

        The index of the reason has the status too: for a reason alone there is a range for each status.
        """
        wanted = self.filter
        narrower = (wanted.commerce_id, wanted.idempotency_key, wanted.search, wanted.late)
        is_spelled_out = wanted.reason and not wanted.status and not any(narrower)
        statuses = STORED if is_spelled_out else dict.fromkeys(wanted.status)
        ranges = [ranged for status in statuses for ranged in self._ranges_of_status(status)]
        if ranges and (wanted.late or wanted.search):  # they have ranges of their own: a product would be 80
            return [Range((or_(*(and_(*ranged.conditions) for ranged in ranges)),))]
        return ranges or [Range()]

    def _ranges_of_status(self, status: ActivityStatus, *more: ColumnElement[bool]) -> Iterator[Range]:
        """Yield the rows stored with a status, and the few that have it effectively but are stored with another."""
        for number, ranged in enumerate(status_ranges(status, self.paused)):
            yield Range((ranged, *more), few=number > 0)

    def _late_ranges(self) -> list[Range]:
        """Return the ranges of late activities: overdue and not marked, or marked too late."""
        if not self.filter.late:
            return [Range()]
        overdue = ScheduledActivity.scheduled_at < NOW
        unmarked = [
            ranged
            for status in (ActivityStatus.READY, ActivityStatus.UNRESOLVED)
            for ranged in self._ranges_of_status(status, overdue)
        ]
        marked = (ScheduledActivity.lateness_ms > LATE_MS, not_(is_marked_ahead(self.paused)))
        return [*unmarked, Range(marked)]

    def _search_ranges(self) -> list[Range]:
        if self.filter.search is None:
            return [Range()]
        # No index has the rows of a beginning in the requested order. They are read whole, from the index of the keys
        # alone where nothing else is asked, unless so many match that a walk along the order soon fills a page.
        by_key = _begins_with(ScheduledActivity.idempotency_key, self.filter.search)
        of_commerces = ScheduledActivity.commerce_id.in_(
            select(Commerce.id).where(
                Commerce.tenant_id == self.tenant_id, _begins_with(Commerce.external_id, self.filter.search)
            )
        )
        if self.many:
            return [Range((or_(by_key, of_commerces),))]
        return [Range((by_key,), few=True), Range((of_commerces, not_(by_key)), few=True)]

    def _kind_ranges(self) -> list[Range]:
        """Return the ranges of types and channels.

        They share an index: if only one of them is given, and nothing narrower, there is a range for each of the other.
        """
        wanted = self.filter
        narrower = (
            wanted.status,
            wanted.commerce_id,
            wanted.reason,
            wanted.idempotency_key,
            wanted.search,
            wanted.late,
        )
        is_spelled_out = (wanted.type or wanted.channel) and not any(narrower)
        types = [wanted.type] if wanted.type or not is_spelled_out else list(ActivityType)
        channels = [wanted.channel] if wanted.channel or not is_spelled_out else list(Channel)
        return [
            Range((*_equal(ScheduledActivity.type, one), *_equal(ScheduledActivity.channel, other)))
            for one, other in product(types, channels)
        ]


def _equal(column: Expression, value: object) -> tuple[ColumnElement[bool], ...]:
    return () if value is None else (column == value,)


def _begins_with(column: Expression, beginning: str) -> ColumnElement[bool]:
    """Match the texts that begin so, as a range of the index: the column's collation orders byte by byte."""
    return and_(column >= beginning, column <= beginning + _LAST_CHARACTER)
