"""The statements behind the list of activities: every filter is one range of an index, or a few that are merged."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, not_, select, text, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from db.models import Commerce, ScheduledActivity
from db.snapshots import NOW, SNAPSHOTS, having, marked_ahead
from workflows.messages import ActivityFilter
from workflows.words import ActivityStatus, ActivityType, Channel


class Range(NamedTuple):
    """Conditions that an index serves; the rows of one that has `few` are all read and then sorted.

    For them it would cost more to go along the order that is asked for and to pass all others over.
    """

    conditions: tuple[ColumnElement[bool], ...] = ()
    few: bool = False


STORED = [status for status in ActivityStatus if status not in {ActivityStatus.RESOLVING, ActivityStatus.REJECTED}]
"""Every status that a row may have."""

LATE_MS: ColumnElement[int] = literal_column("1000")
"""Spelled out, not bound: so the planner sees that the index of the late ones has them all."""

PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""First in a transaction that lists: a plan that is kept for any values walked through a million rows for some."""

_LAST_CHARACTER = "\U0010ffff"


class Position(NamedTuple):
    """Where in an ordered list a row is: nothing that arrives later moves it."""

    at: datetime
    id: UUID


@dataclass(frozen=True)
class Slice:
    """Which part of the list: `limit` rows in this order, after a position or after a number of rows."""

    limit: int
    sort: str = "created_at"
    descending: bool = True
    after: Position | None = None
    offset: int = 0

    def column(self, table: Any) -> Any:
        """What it is sorted by."""
        return getattr(table, self.sort)

    def turn(self, at: Any, row_id: Any) -> tuple[ColumnElement[Any], ...]:
        """The order, unique by the id."""
        return (at.desc(), row_id.desc()) if self.descending else (at.asc(), row_id.asc())


@dataclass(frozen=True)
class Listed:
    """The rows of a tenant that a filter lets through, `paused` being when the tenant was, if it is."""

    tenant_id: UUID
    filter: ActivityFilter
    paused: datetime | None

    def snapshots(self, part: Slice) -> Select[Any]:
        """Whole activities, in order: none is looked at that isn't on the page or in front of it."""
        found = union_all(*(self._ids(ranged, part) for ranged in self._ranges())).subquery("found")
        turn = part.turn(found.c.at, found.c.id)
        page = select(found).order_by(*turn).limit(part.limit).offset(part.offset).subquery("page")
        return (
            SNAPSHOTS.join_from(ScheduledActivity, page, ScheduledActivity.id == page.c.id)
            .where(ScheduledActivity.tenant_id == self.tenant_id)
            .order_by(*part.turn(page.c.at, page.c.id))
        )

    def count(self, bound: int) -> Select[Any]:
        """How many they are, counted no further than to `bound`."""
        one: ColumnElement[int] = literal_column("1")
        ones = [select(one.label("one")).where(*ranged.conditions).limit(bound) for ranged in self._ranges()]
        return select(func.count()).select_from(select(union_all(*ones).subquery()).limit(bound).subquery())

    def ids(self, limit: int) -> Select[Any]:
        """Their ids and times, the soonest first."""
        part = Slice(limit, sort="scheduled_at", descending=False)
        found = union_all(*(self._ids(ranged, part) for ranged in self._ranges())).subquery("found")
        return select(found.c.id, found.c.at).order_by(found.c.at, found.c.id).limit(limit)

    def _ids(self, ranged: Range, part: Slice) -> Select[Any]:
        at, row_id = part.column(ScheduledActivity), ScheduledActivity.id
        if ranged.few or (self.filter.late and at is not ScheduledActivity.scheduled_at):
            at = func.greatest(at)  # the same to PostgreSQL, but no order that an index has
        statement = select(row_id, at.label("at")).where(*ranged.conditions)
        if part.after:
            here, there = tuple_(at, row_id), tuple_(*part.after)
            statement = statement.where(here < there if part.descending else here > there)
        return statement.order_by(*part.turn(at, row_id)).limit(part.offset + part.limit)

    def _ranges(self) -> Iterator[Range]:
        """Disjoint, and together the whole filter."""
        always = (ScheduledActivity.tenant_id == self.tenant_id, *self._plain())
        for chosen in product(self._statuses(), self._late(), self._searched(), self._kinds()):
            conditions = (*always, *(condition for part in chosen for condition in part.conditions))
            yield Range(conditions, few=any(part.few for part in chosen))

    def _plain(self) -> Iterator[ColumnElement[bool]]:
        wanted = self.filter
        equal: dict[InstrumentedAttribute[Any], Any] = {
            ScheduledActivity.commerce_id: wanted.commerce_id,
            ScheduledActivity.reason_code: wanted.reason,
            ScheduledActivity.idempotency_key: wanted.idempotency_key,
        }
        yield from (column == value for column, value in equal.items() if value is not None)
        if wanted.scheduled_from:
            yield ScheduledActivity.scheduled_at >= wanted.scheduled_from
        if wanted.scheduled_to:
            yield ScheduledActivity.scheduled_at < wanted.scheduled_to

    def _statuses(self) -> list[Range]:
        """A reason shares its index with the status: without one, and nothing narrower, each is spelled out."""
        wanted = self.filter
        narrower = (wanted.commerce_id, wanted.idempotency_key, wanted.search, wanted.late)
        spelled_out = wanted.reason and not wanted.status and not any(narrower)
        statuses = STORED if spelled_out else dict.fromkeys(wanted.status)
        return [ranged for status in statuses for ranged in self._having(status)] or [Range()]

    def _having(self, status: ActivityStatus, *more: ColumnElement[bool]) -> Iterator[Range]:
        """What is stored so, and, of another stored status, the few that only count so."""
        for number, ranged in enumerate(having(status, self.paused)):
            yield Range((ranged, *more), few=number > 0)

    def _late(self) -> list[Range]:
        """Overdue and not marked, be it that nobody could, may or did; or marked too late."""
        if not self.filter.late:
            return [Range()]
        overdue = ScheduledActivity.scheduled_at < NOW
        unmarked = [
            ranged
            for status in (ActivityStatus.READY, ActivityStatus.UNRESOLVED)
            for ranged in self._having(status, overdue)
        ]
        marked = (ScheduledActivity.lateness_ms > LATE_MS, not_(marked_ahead(self.paused)))
        return [*unmarked, Range(marked)]

    def _searched(self) -> list[Range]:
        if self.filter.search is None:
            return [Range()]
        by_key = _begins_with(ScheduledActivity.idempotency_key, self.filter.search)
        of_commerces = ScheduledActivity.commerce_id.in_(
            select(Commerce.id).where(
                Commerce.tenant_id == self.tenant_id, _begins_with(Commerce.external_id, self.filter.search)
            )
        )
        return [Range((by_key,)), Range((of_commerces, not_(by_key)))]

    def _kinds(self) -> list[Range]:
        """Type and channel share an index: where only one is given, and nothing narrower, the other is spelled out."""
        wanted = self.filter
        narrower = (
            wanted.status,
            wanted.commerce_id,
            wanted.reason,
            wanted.idempotency_key,
            wanted.search,
            wanted.late,
        )
        spelled_out = (wanted.type or wanted.channel) and not any(narrower)
        types = [wanted.type] if wanted.type or not spelled_out else list(ActivityType)
        channels = [wanted.channel] if wanted.channel or not spelled_out else list(Channel)
        return [
            Range((*_equal(ScheduledActivity.type, one), *_equal(ScheduledActivity.channel, other)))
            for one, other in product(types, channels)
        ]


def _equal(column: InstrumentedAttribute[Any], value: Any) -> tuple[ColumnElement[bool], ...]:
    return () if value is None else (column == value,)


def _begins_with(column: InstrumentedAttribute[str], beginning: str) -> ColumnElement[bool]:
    """A range, for the column is ordered byte by byte."""
    return and_(column >= beginning, column <= beginning + _LAST_CHARACTER)
