"""The commands. Each speaks to the API that `credentials` finds."""

import sys
import time
from collections import Counter
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from activities_client.answers import ApiError, create_once, expect
from activities_client.cli import display
from activities_client.cli.campaign import Import, RefusedFile
from activities_client.cli.command_error import CommandError
from activities_client.cli.credentials import default_commerce, open_client
from activities_client.cli.times import format_lateness, format_time, parse_time
from activities_client.generated.api.activities import (
    cancel_activity,
    change_activity,
    get_activity,
    get_explanation,
    list_activities,
    list_status_events,
)
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import (
    ActivityPage,
    ActivityPatch,
    ActivityStatus,
    ActivityType,
    AttemptsRead,
    CancelCreate,
    Channel,
    ListActivitiesOrder,
    ListActivitiesSort,
    ListActivitiesStatusItem,
    ScheduledActivityCreate,
    ScheduledActivityRead,
    StatusEventPage,
)
from activities_client.generated.types import UNSET, Response
from activities_client.pages import iterate_items

app = typer.Typer(
    help="Create, read and change scheduled activities, from the terminal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="API_URL, TOKEN (or API_KEY) and TENANT_ID name the API; else it is the stack of make run in this folder.",
)
_WAITING = frozenset({ActivityStatus.RESOLVING, ActivityStatus.READY})
_GOOD = frozenset({ActivityStatus.DUE, ActivityStatus.DISPATCHED, ActivityStatus.COMPLETED})
_UNENDED = _WAITING | {ActivityStatus.DUE, ActivityStatus.DISPATCHED}

Name = Annotated[str, typer.Argument(metavar="ACTIVITY", help="The activity's id, or its idempotency key.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the API's JSON, a line for each activity.")]
TIMES = "now, +90s, +5m, +2h, +1d, or ISO 8601; without an offset it is local."


def main() -> None:
    """Run the command; a problem of the API is a message and the exit code 1, a connection that fails is 2."""
    try:
        app(prog_name="activities")
    except ApiError as problem:
        display.print_error(problem)
        sys.exit(1)
    except CommandError as failure:
        display.errors.print(str(failure), markup=False)
        sys.exit(2)
    except httpx.TransportError as failure:
        display.errors.print(f"No answer from the API: {failure}", markup=False)
        sys.exit(2)
    except httpx.InvalidURL as failure:
        display.errors.print(f"API_URL isn't a URL: {failure}", markup=False)
        sys.exit(2)


@app.command()
def create(
    at: Annotated[datetime, typer.Option(parser=parse_time, metavar="TIME", help=f"The time of execution: {TIMES}")],
    reason: Annotated[str, typer.Option(help="A code, label or alias of the tenant's reasons.")] = "Monthly promotion",
    channel: Annotated[Channel, typer.Option(help="The channel by which it reaches the commerce.")] = Channel.WHATSAPP,
    kind: Annotated[
        ActivityType, typer.Option("--type", help="A message, or work for a person.")
    ] = ActivityType.MESSAGE,
    commerce: Annotated[UUID | None, typer.Option(help="The commerce's id; default: COMMERCE_ID.")] = None,
    key: Annotated[str | None, typer.Option(help="The idempotency key; default: a new one.")] = None,
    attribute: Annotated[list[str] | None, typer.Option(help="The key of a value that the executor needs.")] = None,
    score: Annotated[int | None, typer.Option(help="Executors receive higher scores first.")] = None,
    *,
    watches: Annotated[bool, typer.Option("--watch", help="Wait until it is due.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create an activity. With a key that the same request has used, show the activity that exists."""
    body = ScheduledActivityCreate(
        type_=kind,
        reason=reason,
        channel=channel,
        commerce_id=commerce or default_commerce(),
        idempotency_key=key or f"cli-{uuid4()}",
        scheduled_at=at,
        attribute_keys=attribute or UNSET,
        score=UNSET if score is None else score,
    )
    with open_client() as client:
        created = create_once(client, body)
        _print(created, as_json=as_json)
        if watches:
            _watch(client, created, every=0.2, is_done=False)


@app.command()
def get(
    name: Name,
    *,
    trail: Annotated[bool, typer.Option("--trail", help="Show the events of its life, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show an activity."""
    with open_client() as client:
        found = expect(ScheduledActivityRead, _find(client, name))
        _print(found, as_json=as_json)
        if trail:
            operation = list_status_events.sync_detailed
            display.print_trail(iterate_items(StatusEventPage, operation, found.id, client=client))


@app.command("list")
def list_(
    status: Annotated[list[ListActivitiesStatusItem] | None, typer.Option(help="One of these statuses.")] = None,
    channel: Annotated[Channel | None, typer.Option(help="The channel.")] = None,
    kind: Annotated[ActivityType | None, typer.Option("--type", help="The kind.")] = None,
    commerce: Annotated[UUID | None, typer.Option(help="The commerce's id.")] = None,
    search: Annotated[
        str | None, typer.Option(help="The beginning of the key, or of the commerce's external id.")
    ] = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", parser=parse_time, metavar="TIME", help=f"The earliest time: {TIMES}")
    ] = None,
    to: Annotated[
        datetime | None, typer.Option(parser=parse_time, metavar="TIME", help=f"The latest time, exclusive: {TIMES}")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="The most activities to show.")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """List activities, the newest first."""
    filters = {
        "status": status,
        "channel": channel,
        "type_": kind,
        "commerce_id": commerce,
        "search": search,
        "scheduled_from": from_,
        "scheduled_to": to,
    }
    _list(limit, as_json=as_json, **{name: value for name, value in filters.items() if value})


@app.command()
def late(
    limit: Annotated[int, typer.Option(min=1, help="The most activities to show.")] = 20, *, as_json: AsJson = False
) -> None:
    """List the activities that should be due and are not, or were marked more than a second late."""
    sort, order = ListActivitiesSort.SCHEDULED_AT, ListActivitiesOrder.ASC
    _list(limit, as_json=as_json, late=True, sort=sort, order=order)


@app.command()
def watch(
    name: Name,
    *,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 1,
    is_done: Annotated[bool, typer.Option("--done", help="Wait until it has ended, not only until it is due.")] = False,
) -> None:
    """Show each new status of an activity until it is due or done. The exit code is 1 if it can't become so."""
    with open_client() as client:
        found = expect(ScheduledActivityRead, _find(client, name))
        _watch(client, found, every=every, is_done=is_done)


@app.command()
def cancel(name: Name, reason: Annotated[str, typer.Option(help="The reason, which the trail shows.")]) -> None:
    """Cancel an activity."""
    with open_client() as client:
        found = expect(ScheduledActivityRead, _find(client, name))
        answer = cancel_activity.sync_detailed(found.id, client=client, body=CancelCreate(reason=reason))
        _print(expect(ScheduledActivityRead, answer), as_json=False)


@app.command()
def move(
    name: Name,
    to: Annotated[datetime, typer.Option(parser=parse_time, metavar="TIME", help=f"The new time: {TIMES}")],
    reason: Annotated[str | None, typer.Option(help="The reason, which the trail shows.")] = None,
) -> None:
    """Move an activity to another time. A change that came in between is not overwritten."""
    with open_client() as client:
        answer = _find(client, name)
        read = expect(ScheduledActivityRead, answer)
        body = ActivityPatch(scheduled_at=to, change_reason=reason or UNSET)
        etag = answer.headers["ETag"]
        changed = change_activity.sync_detailed(read.id, client=client, body=body, if_match=etag)
        _print(expect(ScheduledActivityRead, changed), as_json=False)


@app.command()
def explain(name: Name, *, as_json: AsJson = False) -> None:
    """Explain the search for an activity's target user and values, the latest attempt."""
    with open_client() as client:
        found = expect(ScheduledActivityRead, _find(client, name))
        answer = get_explanation.sync_detailed(found.id, client=client)
    attempts = expect(AttemptsRead, answer)
    if as_json:
        display.print_json(attempts)
    elif attempts.attempts:
        latest = attempts.attempts[-1]
        if latest.reason:
            display.print_reason(latest.reason)
        if latest.target:
            display.print_target(latest.target)
        if latest.attributes:
            display.print_values(latest.attributes)


@app.command("import")
def import_(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A .csv, .ndjson or .jsonl file.")
    ],
    refused: Annotated[Path | None, typer.Option(help="The file of refused lines; default: FILE.refused.….")] = None,
) -> None:
    """Create an activity of each line of a file. Started again after an interruption, it goes on by the keys.

    The columns of CSV, or the members of NDJSON, are the fields of POST /api/activities. Lines that are refused are
    written to a file of the same format with the reason: correct and import it. The exit code is 1 if there are any.
    """
    refused_file = RefusedFile(refused or path.with_suffix(f".refused{path.suffix}"))
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=display.errors, disable=not display.errors.is_terminal) as progress:
        task = progress.add_task(path.name, total=path.stat().st_size)

        def report(position: int, counts: Counter[str]) -> None:
            progress.update(task, completed=position, description=_describe(counts))

        campaign = Import(path, refused_file, report)
        with open_client() as client:
            try:
                campaign.run(client)
            except (ApiError, CommandError, httpx.TransportError):
                if campaign.counts:
                    done = f"{_describe(campaign.counts)} before this failure; the same command then goes on:"
                    display.errors.print(done)
                raise
    display.console.print(_describe(campaign.counts))
    if campaign.counts["refused"]:
        display.console.print(f"The refused lines are in {refused_file.path}.", markup=False)
        raise typer.Exit(1)


def _describe(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]:,} {name}" for name in ("created", "existing", "refused"))


def _find(client: AuthenticatedClient, name: str) -> Response[Any]:
    """Return the answer with the activity of this id, or of this key, which may look like an id."""
    activity_id = _parse_id(name)
    answer = None if activity_id is None else get_activity.sync_detailed(activity_id, client=client)
    if answer is not None and answer.status_code != HTTPStatus.NOT_FOUND:
        return answer
    listed = expect(ActivityPage, list_activities.sync_detailed(client=client, idempotency_key=name))
    if listed.data:
        return get_activity.sync_detailed(listed.data[0].id, client=client)
    if answer is not None:
        return answer
    message = f"There is no activity with the id or the key {name}."
    raise CommandError(message)


def _parse_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def _print(activity: ScheduledActivityRead, *, as_json: bool) -> None:
    if as_json:
        display.print_json(activity)
    else:
        display.print_activity(activity)


def _list(limit: int, *, as_json: bool, **filters: object) -> None:
    with open_client() as client:
        per_page = min(limit, 100)
        items = iterate_items(ActivityPage, list_activities.sync_detailed, client=client, per_page=per_page, **filters)
        found = list(islice(items, limit))
    if as_json:
        for activity in found:
            display.print_json(activity)
    else:
        display.print_activities(found)


def _watch(client: AuthenticatedClient, activity: ScheduledActivityRead, *, every: float, is_done: bool) -> None:
    """Print each new status until the activity is due, or has ended; exit with 1 if it can't become so."""
    waits_in = _UNENDED if is_done else _WAITING
    seen = None
    while True:
        state = (activity.status, activity.held_since is not None)
        if state != seen:
            seen = state
            held = ", held: the tenant is paused" if activity.held_since else ""
            display.console.print(
                f"{datetime.now().astimezone():%H:%M:%S}  {display.show_status(activity.status)}{held}"
            )
        if activity.status not in waits_in:
            break
        time.sleep(every)
        activity = expect(ScheduledActivityRead, get_activity.sync_detailed(activity.id, client=client))
    if activity.lateness_ms is not None:
        marked = format_time(activity.marked_at)
        display.console.print(f"marked at {marked}: {format_lateness(activity.lateness_ms)}")
    if activity.status not in _GOOD:
        raise typer.Exit(1)
