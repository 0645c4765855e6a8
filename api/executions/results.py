"""/api/activity-results: record the results that executors report."""

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import UUID

import structlog
from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.removed import gone_problem, require_not_removed
from api.activities.unrecorded import require_resolving, unknown_problem
from api.activities.views import activity_path
from api.executions.follow_ups import create_follow_up, take_back_follow_up
from api.executions.schemas import ActivityResultCreate, ActivityResultRead
from api.http.auth import Caller, Permission
from api.http.bodies import Json, validation_problem
from api.http.dependencies import CanSubmitResult, CanView, Opened
from api.http.errors import (
    ActivityGone,
    ActivityNotFound,
    AmbiguousProviderId,
    LimitReached,
    PermissionDenied,
    UnknownTaskResultType,
    WrongStatus,
    problem_responses,
)
from api.http.headers import with_headers
from api.http.limits import limit_reached
from api.http.pages import CursorQuery, ListKey, format_cursor
from db import results
from db.leases import expire_leases_statement
from db.models import ActivityResult, TaskResultType
from db.removal import find_removal_of_provider
from db.results import JudgedActivity, OverriddenFollowUp, ProvidersActivity
from db.rows import address, build_row, fetch_page, fetch_row, fetch_rows
from workflows.hand_off import Accepted, Rejected, Repeated, ResultStatus, judge
from workflows.messages import Fault, RejectedError
from workflows.resolution.facts import CatalogueEntry
from workflows.resolution.reasons import match
from workflows.tenant_limits import LISTED_ACTIVITIES, PROVIDER_RESULTS, RESULTS_OF_ACTIVITY

router = APIRouter(tags=["results"])


@router.post(
    "/api/activity-results/tasks",
    status_code=201,
    response_model=ActivityResultRead,
    responses={
        201: {"description": "The result as it was accepted.", **with_headers("Location")},
        200: {
            "model": ActivityResultRead,
            "description": "The same result was accepted before. Nothing has changed.",
            **with_headers("Location"),
        },
        **problem_responses(
            ActivityNotFound, ActivityGone, AmbiguousProviderId, WrongStatus, LimitReached, UnknownTaskResultType
        ),
    },
)
async def submit_result(caller: CanSubmitResult, opened: Opened, body: Json[ActivityResultCreate]) -> Response:
    """Report the result of an activity.

    `COMPLETED` and `TRANSFERRED` complete the activity, `NOT_EXECUTED` makes it FAILED, `CANCELED` cancels it.
    `PENDING` changes nothing, but can introduce the provider's id, by which later results may identify the activity.

    A result whose type requires a follow-up creates one: that needs `CREATE_ACTIVITY` too.

    It is safe to send the same result again. A different result for a finished activity is 409, unless `hard_override`
    is set; both results are kept. A result counts even after its lease has ended, unless another executor has claimed
    the activity since.
    """
    async with opened.database.transactions.begin() as connection:
        row, is_new = await _judge_result(connection, body, caller)
    overridden = await take_back_follow_up(row, caller, opened)
    row = await create_follow_up(row, caller, opened)
    headers = {"Location": f"{activity_path(row.activity_id)}/results"}
    content = ActivityResultRead.of(row, overridden).model_dump_json()
    return Response(content, 201 if is_new else 200, headers, media_type="application/json")


async def _judge_result(
    connection: AsyncConnection, body: ActivityResultCreate, caller: Caller
) -> tuple[ActivityResult, bool]:
    """Record the result unless it is known already or rejected; return its row, and True if the row is new.

    The activity's row stays locked until the end of the transaction.
    """
    activity_id, attempt = await _identify_activity(connection, body, caller)
    structlog.contextvars.bind_contextvars(activity_id=str(activity_id))
    await connection.execute(results.activity_statement(caller.tenant_id, activity_id).with_for_update())
    await connection.execute(expire_leases_statement(address(caller.tenant_id, activity_id)))
    judged = results.judged_activity_statement(caller.tenant_id, activity_id)
    seen = await fetch_row(connection, JudgedActivity, judged)
    if seen is None:
        await require_not_removed(connection, caller.tenant_id, activity_id)
        raise unknown_problem(activity_id)
    if body.commerce_external_id not in {None, seen.external_id}:
        detail = f"Activity {activity_id} belongs to another commerce."
        raise validation_problem([Fault(pointer="/commerce_external_id", detail=detail)])
    match judge(seen.as_hand_off(), body.as_reported(attempt)):
        case Repeated(id=known):
            statement = results.result_statement(caller.tenant_id, activity_id, known)
            row = await fetch_row(connection, ActivityResult, statement)
            assert row is not None  # noqa: S101 - `known` is from the same transaction, and no result is deleted
            return row, False
        case Rejected(detail=detail):
            raise WrongStatus(detail, members={"actualStatus": seen.effective_status})
        case Accepted() as accepted:
            _require_room(seen, body, accepted)
            return await _record_result(connection, body, caller, seen, accepted), True


def _require_room(seen: JudgedActivity, body: ActivityResultCreate, accepted: Accepted) -> None:
    is_full = len(seen.known or ()) >= RESULTS_OF_ACTIVITY.most
    if is_full and (accepted.overrides or body.status is ResultStatus.PENDING):
        raise limit_reached(RESULTS_OF_ACTIVITY, "The activity")


async def _identify_activity(
    connection: AsyncConnection, body: ActivityResultCreate, caller: Caller
) -> tuple[UUID, int | None]:
    """Return the activity's id, and the claim that the result belongs to if the provider's id determines it.

    A repeated result belongs to the activity that has it, whichever else the provider's id names since. Another one
    belongs to an open activity if there is one; with `hard_override` it could replace the result of any.

    Raises:
        ActivityGone: the activity with the provider's id was removed.
        ActivityNotFound: no result has connected the provider's id with an activity.
        AmbiguousProviderId: the result could belong to several activities that have the provider's id.
    """
    known: list[ProvidersActivity] = []
    if body.provider_activity_id is not None:
        statement = results.providers_activities_statement(
            caller.tenant_id, body.provider_activity_id, body.fingerprint, activity_id=body.activity_id
        )
        known = await fetch_rows(connection, ProvidersActivity, statement)
    if body.activity_id is not None:
        return body.activity_id, next((one.attempt for one in known if one.activity_id == body.activity_id), None)
    if not known:
        removal = await find_removal_of_provider(connection, body.provider_activity_id or "")
        if removal:
            raise gone_problem(removal)
        raise ActivityNotFound(
            f"No result has connected the provider's id {body.provider_activity_id!r} with an activity yet. Send"
            " `activity_id` too."
        )
    repeated = next((one for one in known if one.is_repeated), None)
    possible = [one for one in known if one.is_open or body.hard_override]
    if repeated is None and (len(possible) > 1 or not known[0].are_all):
        raise _ambiguous_problem(body, [str(one.activity_id) for one in possible], are_all=known[0].are_all)
    found = repeated or (possible or known)[0]
    return found.activity_id, found.attempt


def _ambiguous_problem(body: ActivityResultCreate, possible: list[str], *, are_all: bool) -> AmbiguousProviderId:
    listed, those = possible[:LISTED_ACTIVITIES], "activities" if body.hard_override else "open activities"
    if not are_all:
        why = f"has {PROVIDER_RESULTS} results or more"
    elif len(listed) < len(possible):
        why = f"belongs to the {those} {', '.join(listed)} and {len(possible) - len(listed)} more"
    else:
        why = f"belongs to the {those} {', '.join(listed[:-1])} and {listed[-1]}"
    detail = f"The provider's id {body.provider_activity_id!r} {why}. Send `activity_id` too."
    return AmbiguousProviderId(detail, members={"activityIds": listed})


async def _record_result(
    connection: AsyncConnection, body: ActivityResultCreate, caller: Caller, seen: JudgedActivity, accepted: Accepted
) -> ActivityResult:
    values = body.columns() | {"follow_up_at": await _find_follow_up_time(connection, body, caller)}
    if accepted.overrides:
        await connection.execute(results.lock_contact_statement(seen.tenant_id, seen.id, accepted.overrides))
    new = results.NewResult(seen.result_id, values, caller.subject, body.failure(), caller.request_id)
    row = await fetch_row(connection, ActivityResult, results.record_result_statement(new, seen, accepted))
    assert row is not None  # noqa: S101 - the row is locked, so that the statement writes it
    return row


async def _find_follow_up_time(
    connection: AsyncConnection, body: ActivityResultCreate, caller: Caller
) -> datetime | None:
    """Return the time of the follow-up that the result's type requires; None if it requires none yet.

    Raises:
        UnknownTaskResultType: the tenant has task result types, and the result names none of them.
        PermissionDenied: the type requires a follow-up, and the caller can't create activities.
        ValidationFailed: the type requires a time, and the result has none.
    """
    task_result = body.task_result
    if task_result is None or task_result.result is None:
        return None
    statement = select(TaskResultType.__table__).where(TaskResultType.tenant_id == caller.tenant_id)
    types = {one.code: one for one in await connection.execute(statement.order_by(TaskResultType.code))}
    entries = [CatalogueEntry(code=one.code, label=one.label) for one in types.values()]
    try:
        # Some labels take milliseconds each: other requests have their turn meanwhile.
        named = (task_result.result, entries, "/task_result/result", UnknownTaskResultType.code)
        code = (await asyncio.to_thread(match, *named))[0].code
    except RejectedError as rejected:
        raise UnknownTaskResultType(rejected.rejection.detail, faults=rejected.rejection.faults) from rejected
    if code not in types or not types[code].requires_future_scheduled_at or body.status is ResultStatus.PENDING:
        return None
    if task_result.future_scheduled_at is None:
        detail = f"The result “{code}” requires a follow-up: send its time."
        raise validation_problem([Fault(pointer="/task_result/future_scheduled_at", detail=detail)])
    if not caller.may(Permission.CREATE_ACTIVITY):
        detail = f"The result “{code}” requires a follow-up, and creating one needs the permission CREATE_ACTIVITY."
        raise PermissionDenied(f"{detail} The {caller.credential} lacks it in tenant {caller.tenant_id}.")
    return task_result.future_scheduled_at


@router.get(
    "/api/activities/{activity_id}/results",
    responses={200: with_headers("Link"), **problem_responses(ActivityNotFound, ActivityGone)},
)
async def list_results(
    caller: CanView, opened: Opened, activity_id: UUID, query: Annotated[CursorQuery, Query()], response: Response
) -> list[ActivityResultRead]:
    """List the results of an activity, in the order in which they were received.

    If more follow, the header `Link` has the address of the next page. A page ends at 512 KB.
    """
    key = ListKey(ActivityResult.__table__.c.id)
    page = key.order(results.results_statement(caller.tenant_id, activity_id).order_by(None), query.cursor)
    page = page.limit(query.per_page + 1).offset((query.page - 1) * query.per_page)
    async with opened.database.autocommit.connect() as connection:
        rows, goes_on = await fetch_page(connection, page, query.per_page)
        found = [build_row(ActivityResult, row) for row in rows]
        this = results.activity_statement(caller.tenant_id, activity_id)
        is_recorded = bool(found) or (await connection.execute(this)).first() is not None
        statement = results.overridden_follow_ups_statement(caller.tenant_id, activity_id)
        overridden = {one.result_id: one for one in await fetch_rows(connection, OverriddenFollowUp, statement)}
    if not is_recorded:
        await require_resolving(activity_id, caller, opened)
    if goes_on:
        cursor = format_cursor(str(found[-1].id))
        following = f"{activity_path(activity_id)}/results?cursor={cursor}&per_page={query.per_page}"
        response.headers["Link"] = f'<{following}>; rel="next"'
    return [ActivityResultRead.of(row, overridden.get(row.id)) for row in found]
