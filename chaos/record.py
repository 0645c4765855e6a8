"""The record of a chaos run: what callers were answered, and what PostgreSQL and Temporal hold afterwards."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

NOT_APPLIED = frozenset({"CHANGE_REFUSED", "CHANGE_WITHDRAWN"})


@dataclass(frozen=True)
class Answer:
    """One request of the load and its answer; an item of a batch counts as a request.

    `call` is unique and is the token's subject, so that it is the actor of every event that the request writes.
    """

    call: str
    action: str
    tenant: str
    sent_at: datetime
    answered_at: datetime
    status: int | None
    """The HTTP status; None if the connection broke or no answer came in time."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    activity: str | None = None
    """The id of the activity in the request's path or body, or in the answer of a creation."""
    version: int = 0
    """The number in the answer's ETag; 0 without one."""
    retry_after: bool = False

    @property
    def detail(self) -> str:
        """Return the sentence of a problem."""
        return str(self.body.get("detail", ""))

    def __str__(self) -> str:
        shown = f"{self.call} of {self.activity or self.sent.get('idempotency_key')}"
        return f"{shown} at {self.sent_at:%H:%M:%S.%f}: {self.status} {self.body.get('code', '')} {self.detail}".strip()


@dataclass(frozen=True)
class Row:
    """An activity's row; `status` is the stored one."""

    id: str
    tenant: str
    key: str
    status: str
    scheduled_at: datetime
    version: int
    run: str
    """The workflow ID of its run."""


@dataclass(frozen=True)
class Event:
    """An event of an activity's trail. Trails are in the order in which callers read them."""

    type: str
    from_status: str | None
    to_status: str
    at: datetime
    actor: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A run in Temporal; `failed_tasks` are the causes of its failed workflow tasks."""

    workflow: str
    status: str
    kind: str = "ScheduledActivityWorkflow"
    failed_tasks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Click:
    """An operator's click in Temporal: `terminate`, `cancel` or `reset` of a run."""

    workflow: str
    kind: str
    at: datetime


@dataclass(frozen=True)
class Operation:
    """A bulk operation's row with the outcome of each activity; `actor` is the call that started it."""

    id: str
    state: str
    actor: str
    items: Mapping[str, str]
    finished_at: datetime | None


@dataclass(frozen=True)
class Result:
    """A row of a reported result; `external` is the load's own id of the result."""

    id: str
    activity: str
    external: str
    status: str
    overrides: str | None = None
    follow_up_at: datetime | None = None
    follow_up: str | None = None
    follow_up_error: str | None = None


@dataclass(frozen=True)
class Record:
    """Everything that the audit compares."""

    answers: tuple[Answer, ...] = ()
    rows: tuple[Row, ...] = ()
    trails: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    clicks: tuple[Click, ...] = ()
    operations: tuple[Operation, ...] = ()
    results: tuple[Result, ...] = ()
    unsettled: tuple[str, ...] = ()
    """The work that was still open when the time to settle had passed."""

    def of(self, *actions: str) -> Iterator[Answer]:
        """Yield the answers to these actions, in the order of their arrival."""
        return (answer for answer in self.answers if answer.action in actions)

    @cached_property
    def row(self) -> Mapping[str, Row]:
        """Return the rows by id."""
        return {row.id: row for row in self.rows}

    @cached_property
    def rows_of_key(self) -> Mapping[tuple[str, str], list[Row]]:
        """Return the rows by tenant and idempotency key."""
        found: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self.rows:
            found[row.tenant, row.key].append(row)
        return found

    @cached_property
    def events_of_call(self) -> Mapping[str, list[tuple[str, Event]]]:
        """Return the events that each call has written, with the activities' ids."""
        found: dict[str, list[tuple[str, Event]]] = defaultdict(list)
        for activity, trail in self.trails.items():
            for event in trail:
                found[event.actor or ""].append((activity, event))
        return found

    @cached_property
    def open_runs(self) -> Mapping[str, int]:
        """Return the number of open runs by workflow ID."""
        found: dict[str, int] = defaultdict(int)
        for run in self.runs:
            found[run.workflow] += run.status == "RUNNING"
        return found

    @cached_property
    def clicked(self) -> frozenset[str]:
        """Return the workflow IDs of runs that an operator has ended."""
        return frozenset(click.workflow for click in self.clicks if click.kind != "reset")

    def trail(self, activity: str | None) -> tuple[Event, ...]:
        """Return the trail of an activity, empty without a row."""
        return self.trails.get(activity or "", ())

    def applied(self, answer: Answer) -> list[Event]:
        """Return the events by which an answer's call has changed something."""
        return [event for _, event in self.events_of_call.get(answer.call, ()) if event.type not in NOT_APPLIED]

    def refused(self, answer: Answer) -> list[Event]:
        """Return the events which say that the change of an answer's call was not carried out."""
        return [event for _, event in self.events_of_call.get(answer.call, ()) if event.type in NOT_APPLIED]
