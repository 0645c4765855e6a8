"""The statements behind the list of activities: every filter is one range of an index, or a few that are merged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, not_, or_, select, text, tuple_, union_all

from db.leases import HAS_EXPIRED_LEASE
from db.models import LOWEST_RANK, ActivityResult, Commerce, ScheduledActivity, TargetUser
from db.rows import CHANGED_AT, NOW, Expression, Rows
from db.snapshots import SNAPSHOTS, is_marked_ahead, status_ranges
from workflows.messages import ActivityFilter
from workflows.words import ActivityStatus, ActivityType, Channel


class Range(NamedTuple):
    """Conditions that an index serves. If it has `few` rows, they are all read and then sorted.

    For few rows it costs more to follow the index of the requested order and to skip all other rows.
    """

    conditions: tuple[ColumnElement[bool], ...] = ()
    few: bool = False
    at: Expression | None = None
    """The value by which these rows are sorted, if it isn't that of the list."""


STORED = [status for status in ActivityStatus if status not in {ActivityStatus.RESOLVING, ActivityStatus.REJECTED}]
"""Every status that a row can have."""

LATE_MS: ColumnElement[int] = literal_column("1000")
"""A literal, not a parameter, so that the planner recognizes the partial index of late activities."""

PLANNED_ANEW = text("SET LOCAL plan_cache_mode = force_custom_plan")
"""Executed first in a transaction that lists: a generic plan read a million rows for some values."""

READ_WHOLE = 50_000
"""The most rows of a search that are read whole and sorted, in some 10 ms."""

SORTED = 10_000
"""The most activities of a filter that are read whole and sorted by score or change, which other indices don't have."""

_SORTED_ALONE = {"score", "updated_at"}
"""The orders that only an index of all activities has, or one of each status."""

_LAST_CHARACTER = "\U0010ffff"


class Position(NamedTuple):
    """The position of a row in an ordered list: a time or a score, and the id. Rows that are added don't move it."""

    at: datetime | int
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
        """Return the value by which the list is sorted."""
        match self.sort:
            case "score":
                return func.coalesce(ScheduledActivity.score, literal_column(LOWEST_RANK))
            case "updated_at":
                return CHANGED_AT
            case _:
                return ScheduledActivity.__table__.c[self.sort]

    def order(self, at: Expression, row_id: Expression) -> tuple[Expression, ...]:
        """Return the order of the list; the id makes it unique."""
        return (at.desc(), row_id.desc()) if self.descending else (at.asc(), row_id.asc())


@dataclass(frozen=True)
class Listed:
    """The activities of a tenant that match a filter.

    `paused` is the time since which the tenant is paused; `many` says that more than `READ_WHOLE` rows match, and `few`
    that no more than `SORTED` do. With `since`, the activities have changed since then, and are sorted by that.
    """

    tenant_id: UUID
    filter: ActivityFilter
    paused: datetime | None
    many: bool = False
    few: bool = False
    since: datetime | None = None

    def with_total(self, total: int, sort: str) -> "Listed":
        """Return the list as it is read if so many activities are in it."""
        conditions = self.filter.model_dump(exclude_defaults=True).keys()
        is_served = not conditions or self.since or (sort == "score" and conditions == {"status"})
        is_served = is_served or sort == "created_at" or (sort == "scheduled_at" and "executor" not in conditions)
        bound = READ_WHOLE if self.filter.search else SORTED
        return replace(self, many=total > bound, few=not is_served and total <= SORTED)

    def snapshots_statement(self, part: Slice) -> Rows:
        """Whole activities, in order, with the `position` of each.

        Only rows of the page, and those before it, are read.
        """
        ranges = self._ranges(part.sort)
        found = union_all(*(self._ids_statement(ranged, part) for ranged in ranges)).subquery("found")
        order = part.order(found.c.at, found.c.id)
        page = select(found).order_by(*order).limit(part.limit).offset(part.offset).subquery("page")
        return (
            SNAPSHOTS.add_columns(page.c.at.label("position"))
            .join_from(ScheduledActivity, page, ScheduledActivity.id == page.c.id)
            .where(ScheduledActivity.tenant_id == self.tenant_id)
            .order_by(*part.order(page.c.at, page.c.id))
        )

    def count_statement(self, bound: int) -> Rows:
        """Select the number of the activities, counted up to `bound`."""
        one: ColumnElement[int] = literal_column("1")
        ranges = self._ranges("updated_at" if self.since else "created_at")
        ones = [select(one.label("one")).where(*ranged.conditions).limit(bound) for ranged in ranges]
        return select(func.count()).select_from(select(union_all(*ones).subquery()).limit(bound).subquery())

    def ids_statement(self, limit: int) -> Rows:
        """Select the ids and times of the activities, the soonest first."""
        part = Slice(limit, sort="scheduled_at", descending=False)
        found = union_all(*(self._ids_statement(ranged, part) for ranged in self._ranges(part.sort))).subquery("found")
        return select(found.c.id, found.c.at).order_by(found.c.at, found.c.id).limit(limit)

    def conditions(self) -> Iterator[tuple[ColumnElement[bool], ...]]:
        """Yield the conditions of disjoint ranges that together are the activities."""
        return (ranged.conditions for ranged in self._ranges("created_at"))

    def _ids_statement(self, ranged: Range, part: Slice) -> Rows:
        at, row_id = part.column if ranged.at is None else ranged.at, ScheduledActivity.id
        if self.few or ranged.few or (self.filter.late and part.sort != "scheduled_at"):
            at = func.greatest(at)  # equal to the column, but no index has its order: the planner then sorts the rows
        statement: Rows = select(row_id, at.label("at")).where(*ranged.conditions)
        if part.after:
            here, there = tuple_(at, row_id), tuple_(*part.after)
            statement = statement.where(here < there if part.descending else here > there)
        return statement.order_by(*part.order(at, row_id)).limit(part.offset + part.limit)

    def _ranges(self, sort: str) -> Iterator[Range]:
        """Yield disjoint ranges that together are the whole filter."""
        always = (ScheduledActivity.tenant_id == self.tenant_id, *self._plain_conditions())
        changes = self._change_ranges() if sort == "updated_at" else [Range()]
        for chosen in product(
            self._status_ranges(sort),
            self._late_ranges(),
            self._search_ranges(),
            self._kind_ranges(sort),
            self._part_ranges(),
            changes,
        ):
            conditions = (*always, *(condition for part in chosen for condition in part.conditions))
            yield Range(conditions, few=any(part.few for part in chosen), at=chosen[-1].at)

    def _change_ranges(self) -> list[Range]:
        """Return the ranges of the times at which readers saw a change.

        A mark made ahead is seen at its time, and the end of a lease too, whether it is written by then or not.
        """
        is_ahead = and_(ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.marked_at > NOW)
        ranges: list[tuple[Expression, ColumnElement[bool], bool]] = [
            (CHANGED_AT, and_(CHANGED_AT <= NOW, not_(HAS_EXPIRED_LEASE)), False),
            (ScheduledActivity.updated_at, is_ahead, True),
            (ScheduledActivity.lease_expires_at, HAS_EXPIRED_LEASE, True),
        ]
        since = () if self.since is None else (self.since,)
        return [Range((condition, *(at >= time for time in since)), few=few, at=at) for at, condition, few in ranges]

    def _part_ranges(self) -> list[Range]:
        """Return the range of the activities that have a target user, a result of a provider, or both."""
        wanted, conditions = self.filter, list[ColumnElement[bool]]()
        if wanted.commerce_user_id:
            aimed = select(TargetUser.activity_id).where(
                TargetUser.tenant_id == self.tenant_id, TargetUser.commerce_user_id == wanted.commerce_user_id
            )
            conditions.append(ScheduledActivity.id.in_(aimed))
        if wanted.provider_activity_id:
            reported = select(ActivityResult.activity_id).where(
                ActivityResult.tenant_id == self.tenant_id,
                ActivityResult.provider_activity_id == wanted.provider_activity_id,
            )
            conditions.append(ScheduledActivity.id.in_(reported))
        return [Range(tuple(conditions), few=bool(conditions))]

    @property
    def _is_narrow(self) -> bool:
        """Return whether the filter has a condition that finds few of a tenant's activities."""
        wanted = self.filter
        narrow = (wanted.commerce_id, wanted.idempotency_key, wanted.search, wanted.late, wanted.executor)
        return any(narrow) or bool(wanted.commerce_user_id or wanted.provider_activity_id or self.since)

    def _plain_conditions(self) -> Iterator[ColumnElement[bool]]:
        wanted = self.filter
        yield from _equal(ScheduledActivity.commerce_id, wanted.commerce_id)
        yield from _equal(ScheduledActivity.reason_code, wanted.reason)
        yield from _equal(ScheduledActivity.idempotency_key, wanted.idempotency_key)
        yield from _equal(ScheduledActivity.executor, wanted.executor)
        if wanted.scheduled_from:
            yield ScheduledActivity.scheduled_at >= wanted.scheduled_from
        if wanted.scheduled_to:
            yield ScheduledActivity.scheduled_at < wanted.scheduled_to

    def _status_ranges(self, sort: str) -> list[Range]:
        """Return the ranges of the statuses.

        The index of the reason has the status too: for a reason alone there is a range for each status. So has that of
        the score, which has the order of the list.
        """
        wanted = self.filter
        is_by_reason = wanted.reason and not self._is_narrow and sort not in _SORTED_ALONE
        is_by_score = sort == "score" and not wanted.late and (self.many or not self._is_narrow)
        is_spelled_out = not wanted.status and (is_by_reason or is_by_score)
        statuses = STORED if is_spelled_out else dict.fromkeys(wanted.status)
        ranges = [ranged for status in statuses for ranged in self._ranges_of_status(status)]
        if (
            ranges and (wanted.late or wanted.search) and not is_by_score
        ):  # they have ranges of their own: a product would be 80
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

    def _kind_ranges(self, sort: str) -> list[Range]:
        """Return the ranges of types and channels.

        They share an index: if only one of them is given, and nothing narrower, there is a range for each of the other.
        """
        wanted = self.filter
        is_found_otherwise = wanted.status or wanted.reason or self._is_narrow or sort in _SORTED_ALONE
        is_spelled_out = (wanted.type or wanted.channel) and not is_found_otherwise
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
