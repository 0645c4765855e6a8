"""Create the follow-up that a result asks for, and cancel an overridden one, before the result is answered."""

from api.http.auth import Caller
from api.http.dependencies import Resources
from api.http.failures import temporary_problem
from db import results
from db.models import ActivityResult
from db.results import OverriddenFollowUp
from db.rows import fetch_row, fetch_rows
from runs.ask import UnansweredError
from runs.follow_up import FollowUps


async def create_follow_up(result: ActivityResult, caller: Caller, opened: Resources) -> ActivityResult:
    """Create the result's follow-up if it asks for one and has none; return the result as it is afterwards.

    A result that is sent again makes up for what failed before. A follow-up that is rejected, because a reason is no
    longer in use for instance, is noted in the result with the reason.

    Raises:
        Temporary: the result is on record, its follow-up isn't created yet.
    """
    if result.follow_up_at is None or result.follow_up_id is not None:
        return result
    wanted = results.follow_up_statement(result.tenant_id, result.activity_id, result.id)
    async with opened.database.autocommit.connect() as connection:
        follow_up = await fetch_row(connection, results.FollowUp, wanted)
    follow_ups = FollowUps(opened.temporal, opened.database, opened.lead)
    try:
        if follow_up:
            await follow_ups.create(follow_up, opened.answer_deadline_seconds, caller.request_id)
    except UnansweredError as failure:
        if not failure.is_started:  # a run that was started is noted by reconciliation once it has recorded its row
            detail = f"Result {result.id} is on record, its follow-up is not created yet: send the same result again."
            raise temporary_problem(failure, detail) from failure
    async with opened.database.autocommit.connect() as connection:
        now = results.result_statement(result.tenant_id, result.activity_id, result.id)
        noted = await fetch_row(connection, ActivityResult, now)
    return noted or result  # the activity may have been removed since, and its results with it


async def take_back_follow_up(result: ActivityResult, caller: Caller, opened: Resources) -> OverriddenFollowUp | None:
    """Cancel the follow-up of the result that this one has overridden; return the follow-up as it is afterwards.

    Raises:
        Temporary: the result is on record, the follow-up isn't cancelled yet.
    """
    if result.overrides_id is None:
        return None
    made = await _read_overridden(result, opened)
    if made is None or made.status not in results.CANCELABLE:
        return made
    follow_ups = FollowUps(opened.temporal, opened.database, opened.lead)
    try:
        await follow_ups.take_back(made, opened.answer_deadline_seconds, caller.request_id)
    except UnansweredError as failure:
        detail = (
            f"Result {result.id} is on record, activity {made.id} is not cancelled yet: send the same result again."
        )
        raise temporary_problem(failure, detail) from failure
    return await _read_overridden(result, opened)


async def _read_overridden(result: ActivityResult, opened: Resources) -> OverriddenFollowUp | None:
    statement = results.overridden_follow_ups_statement(result.tenant_id, result.activity_id)
    async with opened.database.autocommit.connect() as connection:
        found = await fetch_rows(connection, OverriddenFollowUp, statement)
    return next((one for one in found if one.result_id == result.id), None)
