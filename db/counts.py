"""The statements that count activities by status, channel and hour, with a bounded amount of work."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    and_,
    func,
    literal,
    literal_column,
    null,
    select,
    text,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.sql.selectable import FromClause, TableValuedAlias

from db.listing import STORED, Listed
from db.models import ScheduledActivity
from db.rows import Expression, Rows
from db.snapshots import effective_status, status_ranges
from workflows.messages import ActivityFilter
from workflows.words import ActivityStatus, ActivityType, Channel

MOST_OF_CELL = 10_000
"""The number up to which a cell is counted."""
SCANNED = 50_000
"""The most activities that are read one by one. More are counted cell by cell."""
HOUR = timedelta(hours=1)
IN_ORDER_OF_INDICES = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)"
)
"""Executed first in a transaction that counts: the other plans read more than the limit before they end."""
SERVED = frozenset({"status", "type", "channel", "scheduled_from", "scheduled_to"})
"""The conditions that the indices of the cells have. Others are looked at in each activity."""


class Dimension(StrEnum):
    """A property by which activities are counted."""

    STATUS = "status"
    CHANNEL = "channel"
    HOUR = "hour"


class Cell(NamedTuple):
    """The number of activities that share these values; None for a property by which they are not counted."""

    status: str | None
    channel: str | None
    hour: datetime | None
    number: int
    is_cut: bool = False
    """True if there may be more."""


@dataclass(frozen=True)
class _Axis:
    """Values of a column to loop over, one range of an index each."""

    name: str
    column: KeyedColumnElement[Any]
    values: Sequence[object]

    @cached_property
    def table(self) -> TableValuedAlias:
        """Return the values as a table."""
        kind = TIMESTAMP(timezone=True) if self.name == Dimension.HOUR else Text()
        values = literal([getattr(value, "value", value) for value in self.values], ARRAY(kind))
        return func.unnest(values, type_=kind).table_valued("value", name=f"{self.name}_axis").render_derived()

    @property
    def value(self) -> Expression:
        """Return one of the values, in a statement that selects from the table."""
        return self.table.c.value


_ALWAYS: Expression = literal_column("'-infinity'::timestamptz")
_NEVER: Expression = literal_column("'infinity'::timestamptz")


@dataclass(frozen=True)
class Counted:
    """The activities of a tenant that match a filter, to be counted by some of their properties."""

    tenant_id: UUID
    filter: ActivityFilter
    paused: datetime | None
    by: frozenset[Dimension]

    @property
    def is_served(self) -> bool:
        """Return whether the cells of the filter are ranges of indices."""
        conditions = self.filter.model_dump(exclude_defaults=True)
        return conditions.keys() <= SERVED

    def scan_statement(self) -> Rows:
        """Select `Cell`s by reading the activities, no more than one above `SCANNED` of them."""
        status = effective_status(self.paused)
        listed = Listed(self.tenant_id, self.filter, self.paused)
        parts = (self._read(status, conditions) for conditions in listed.conditions())
        return self._grouped(union_all(*parts).subquery("parts"), SCANNED + 1)

    def cells_statement(self) -> Rows:
        """Select `Cell`s by counting each on its own, in a range of an index and up to one above `MOST_OF_CELL`.

        The same cell may be selected several times: the numbers have to be added. The few activities whose effective
        status differs from the stored one are read instead, no more than `SCANNED` of each kind.
        """
        return union_all(*self._parts())  # type: ignore[return-value]  # it is executed as a SELECT is

    def _parts(self) -> Iterator[Rows]:
        if Dimension.STATUS not in self.by and not self.filter.status:
            yield self._probes()
            return
        for status in dict.fromkeys(self.filter.status or STORED):
            stored, *others = status_ranges(status, self.paused)
            yield self._probes(status, stored)
            for other in others:
                found = self._read(literal(status.value), (self._is_of_tenant, other, *self._plain_conditions()))
                yield self._grouped(found.limit(SCANNED).subquery("few"), SCANNED)

    @property
    def _has_condition(self) -> bool:
        """Return whether the filter has a condition that an index has before the time."""
        return bool(self.filter.status or self.filter.type or self.filter.channel)

    @property
    def _is_of_tenant(self) -> ColumnElement[bool]:
        return ScheduledActivity.tenant_id == self.tenant_id

    def _plain_conditions(self) -> Iterator[ColumnElement[bool]]:
        """Yield the conditions of a filter that the indices of the cells serve, but for the status."""
        if self.filter.type:
            yield ScheduledActivity.type == self.filter.type
        if self.filter.channel:
            yield ScheduledActivity.channel == self.filter.channel
        if self.filter.scheduled_from:
            yield ScheduledActivity.scheduled_at >= self.filter.scheduled_from
        if self.filter.scheduled_to:
            yield ScheduledActivity.scheduled_at < self.filter.scheduled_to

    def _probes(self, status: ActivityStatus | None = None, *conditions: ColumnElement[bool]) -> Rows:
        """Select a `Cell` for each channel, type and hour that the index needs, where there are activities."""
        axes = list(self._axes())
        range_ = self._range({axis.column.name: axis.value for axis in axes})
        one: Rows = select(literal_column("1").label("one")).where(self._is_of_tenant, *conditions, range_)
        counted: Any = one.limit(MOST_OF_CELL + 1).correlate(*(axis.table for axis in axes)).lateral("counted")
        source = counted
        for axis in reversed(axes):
            source = axis.table.join(source, true())
        values: dict[str, Any] = {axis.name: axis.value for axis in axes}
        shown = status.value if status and Dimension.STATUS in self.by else None
        return (
            select(
                literal(shown, Text).label("status"),
                *(values.get(name, null()).label(name) for name in (Dimension.CHANNEL, Dimension.HOUR)),
                func.count().label("number"),
                (func.count() > MOST_OF_CELL).label("is_cut"),
            )
            .select_from(source)
            .group_by(*values.values())
        )

    def _range(self, values: dict[str, Expression]) -> ColumnElement[bool]:
        """Match one range of one index, whose columns end with the time.

        Rows are compared, and not their columns: otherwise the planner takes an index of the time alone where its
        statistics expect few activities in an hour, and passes over those of other channels.
        """
        first, last = _ALWAYS, _NEVER
        if "scheduled_at" in values:
            first, last = values["scheduled_at"], values["scheduled_at"] + literal(HOUR)
        if self.filter.scheduled_from:
            first = func.greatest(first, self.filter.scheduled_from)
        if self.filter.scheduled_to:
            last = func.least(last, self.filter.scheduled_to)
        before: dict[str, Any] = {name: value for name, value in values.items() if name != "scheduled_at"}
        columns = [ScheduledActivity.__table__.c[name] for name in (*before, "scheduled_at")]
        return and_(
            tuple_(*columns) >= tuple_(*before.values(), first), tuple_(*columns) < tuple_(*before.values(), last)
        )

    def _axes(self) -> Iterator["_Axis"]:
        """Yield the values to loop over: those of the cells, and those that the index has before the time."""
        if self.by & {Dimension.STATUS, Dimension.CHANNEL} or self._has_condition:
            name = Dimension.CHANNEL if Dimension.CHANNEL in self.by else "channels"
            channels = [self.filter.channel] if self.filter.channel else list(Channel)
            yield _Axis(name, ScheduledActivity.__table__.c.channel, channels)
            types = [self.filter.type] if self.filter.type else list(ActivityType)
            yield _Axis("type", ScheduledActivity.__table__.c.type, types)
        if Dimension.HOUR in self.by:
            yield _Axis(Dimension.HOUR, ScheduledActivity.__table__.c.scheduled_at, list(self.hours()))

    def hours(self) -> Iterator[datetime]:
        """Yield the beginnings of the hours between the two times of the filter."""
        assert self.filter.scheduled_from is not None  # noqa: S101 - the API requires both
        assert self.filter.scheduled_to is not None  # noqa: S101
        hour = self.filter.scheduled_from.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        while hour < self.filter.scheduled_to:
            yield hour
            hour += HOUR

    def _read(self, status: ColumnElement[str], conditions: Iterable[ColumnElement[bool]]) -> Rows:
        columns = (status.label("status"), ScheduledActivity.channel, ScheduledActivity.scheduled_at)
        return select(*columns).where(*conditions).limit(SCANNED + 1)

    def _grouped(self, found: FromClause, most: int) -> Rows:
        """Select `Cell`s of the activities that were read; they are cut if as many were read as may be."""
        read = select(found).limit(most).subquery("read")
        values = {
            Dimension.STATUS: read.c.status,
            Dimension.CHANNEL: read.c.channel,
            Dimension.HOUR: func.date_trunc("hour", read.c.scheduled_at, "UTC"),
        }
        kept = [value.label(name) if name in self.by else null().label(name) for name, value in values.items()]
        is_cut = func.sum(func.count()).over() >= most
        grouped = [value for name, value in values.items() if name in self.by]
        return select(*kept, func.count().label("number"), is_cut.label("is_cut")).group_by(*grouped)
