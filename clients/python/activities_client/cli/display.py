"""The output: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from activities_client.answers import ApiError
from activities_client.cli.times import format_lateness, format_time
from activities_client.generated.models import (
    ActivityStatus,
    AttributesExplanation,
    ReasonExplanation,
    ScheduledActivityRead,
    StatusEventRead,
    TargetExplanation,
    Trial,
)

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

ID_WIDTH = 36
"""An id is never cut: it is copied."""
_STYLES = {
    ActivityStatus.READY: "cyan",
    ActivityStatus.DUE: "yellow",
    ActivityStatus.DISPATCHED: "blue",
    ActivityStatus.COMPLETED: "green",
    ActivityStatus.UNRESOLVED: "red",
    ActivityStatus.FAILED: "red",
    ActivityStatus.REJECTED: "red",
    ActivityStatus.CANCELED: "dim",
}


class Document(Protocol):
    """An answer of the API."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON."""


def print_json(document: Document) -> None:
    """Print an answer as JSON in one line."""
    sys.stdout.write(json.dumps(document.to_dict(), ensure_ascii=False) + "\n")


def show_status(status: ActivityStatus) -> str:
    """Return a status in its colour."""
    style = _STYLES.get(status)
    return f"[{style}]{status}[/{style}]" if style else str(status)


def print_error(error: ApiError) -> None:
    """Print a problem, with the place and the reason of each wrong field."""
    errors.print(f"[red]{error.status.value} {error.code or error.status.phrase}[/red]: ", end="")
    errors.print(str(error), markup=False)
    for fault in error.faults:
        errors.print(f"  {fault}", markup=False)
    if error.request_id:
        errors.print(f"  request {error.request_id}", style="dim")


def print_activity(activity: ScheduledActivityRead) -> None:
    """Print an activity with its target users and values."""
    rows = [
        ("id", str(activity.id)),
        ("key", activity.idempotency_key),
        ("status", f"{activity.status}: {activity.status_reason}" if activity.status_reason else activity.status),
        ("activity", f"{activity.type_} by {activity.channel}, {activity.reason.label if activity.reason else '-'}"),
        ("commerce", str(activity.commerce_assignment.commerce_id)),
        ("scheduled", format_time(activity.scheduled_at)),
    ]
    if activity.held_since:
        rows.append(("held", f"since {format_time(activity.held_since)}: the tenant is paused"))
    if activity.marked_at:
        rows.append(("marked", f"{format_time(activity.marked_at)}, {format_lateness(activity.lateness_ms)}"))
    rows += [("target", f"{one.resolution_status} {one.lock_reason or ''}") for one in activity.target_users]
    rows += [("value", f"{one.key}: {one.resolution_status}") for one in activity.attributes]
    if activity.workflow and activity.workflow.url:
        rows.append(("run", activity.workflow.url))
    style = _STYLES.get(activity.status, "")
    for name, value in rows:
        console.print(f"[dim]{name:<10}[/dim] ", end="")
        console.print(value, style=style if name == "status" else "", markup=False)


def print_activities(activities: list[ScheduledActivityRead]) -> None:
    """Print activities, a row each."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("id", min_width=ID_WIDTH)
    for title in ("status", "scheduled", "lateness", "channel", "reason", "key"):
        table.add_column(title, overflow="fold")
    for one in activities:
        lateness = format_lateness(one.lateness_ms)
        reason = escape(one.reason.label) if one.reason else "-"
        cells = (show_status(one.status), format_time(one.scheduled_at), lateness, one.channel, reason)
        table.add_row(str(one.id), *cells, escape(one.idempotency_key))
    console.print(table)


def print_trail(events: Iterable[StatusEventRead]) -> None:
    """Print the events of an activity's trail."""
    for event in events:
        change = f"{event.from_status or '-'} → {show_status(event.to_status)}"
        actor = escape(event.actor or "")
        console.print(f"{format_time(event.occurred_at)}  {event.event_type:<20} {change}  {actor}")


def print_reason(explanation: ReasonExplanation) -> None:
    """Print the entries of the catalogues that the texts of a request match."""
    matches = {"reason": explanation.reason, "user status": explanation.user_status}
    for name, text in matches.items():
        if text is not None:
            found = f"{text.code or 'not in the catalogue'}, by {text.matched_by or '-'}"
            console.print(f"{name}: “{text.text}” is {found}", markup=False)


def print_target(target: TargetExplanation) -> None:
    """Print the search for the target user: each criterion and fallback, with the candidates that it judged."""
    console.print(f"target: {target.summary}", markup=False)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("tried", "outcome", "user", "verdict", "reason"):
        table.add_column(title, overflow="fold", min_width=ID_WIDTH if title == "user" else None)
    for trial in (*target.criteria, *target.fallbacks):
        for number, cells in enumerate(_judgements(trial)):
            tried = str(trial.fallback or trial.type_) if number == 0 else ""
            table.add_row(tried, str(trial.outcome) if number == 0 else "", *cells)
    if table.row_count:
        console.print(table)


def _judgements(trial: Trial) -> list[tuple[str, str, str]]:
    found = [(str(one.commerce_user_id), str(one.verdict), escape(one.why)) for one in trial.candidates]
    return found or [("-", "", "no candidates")]


def print_values(explanation: AttributesExplanation) -> None:
    """Print the source of each value, or its error."""
    for one in explanation.attributes:
        console.print(f"value {one.key}: {one.status}, {one.source or one.error or 'no source'}", markup=False)
