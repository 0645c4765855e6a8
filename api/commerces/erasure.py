"""DELETE …/personal-data: erase the personal data of a commerce or of one of its users, by a bulk operation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.bulk import OperationIdExistsRead, OperationUnavailableRead, accept, answer_known
from api.activities.operations import OperationRead
from api.http.auth import Caller
from api.http.dependencies import CanErase, Opened, Resources
from api.http.errors import (
    ActivitiesOpen,
    CommerceNotFound,
    NotFound,
    OperationIdExists,
    Problem,
    QuotaExceeded,
    Unavailable,
    problem_responses,
)
from api.http.fields import RequestBody
from api.http.headers import with_headers
from db.erasure import Subject, audit_statement, erase_person, lock_subject_statement, open_count_statement
from runs.ids import draw_id
from workflows.bulk import MOST_ITEMS, BulkChange, BulkOperation, BulkVerb
from workflows.messages import ActivityFilter

router = APIRouter(prefix="/api/commerces/{commerce_id}", tags=["commerces"])

REASON = "Personal data is erased."


class ErasureQuery(RequestBody):
    """The treatment of open activities, and the id of the operation."""

    cancel_open: bool = Field(
        default=False, description="Cancel open activities first. Without it, they are 409 with their number."
    )
    operation_id: UUID | None = Field(
        default=None, description="A new UUID. With it, a repetition of the request starts nothing twice."
    )


def _responses(*problems: type[Problem]) -> dict[int | str, dict[str, object]]:
    return {
        202: {"description": "The operation as it was accepted.", **with_headers("Location")},
        **problem_responses(
            *problems,
            ActivitiesOpen,
            OperationIdExists,
            QuotaExceeded,
            models={OperationIdExists: OperationIdExistsRead, Unavailable: OperationUnavailableRead},
        ),
    }


@router.delete("/personal-data", status_code=202, response_model=OperationRead, responses=_responses(CommerceNotFound))
async def erase_commerce(
    caller: CanErase, opened: Opened, commerce_id: UUID, query: Annotated[ErasureQuery, Query()]
) -> Response:
    """Erase the personal data of a commerce and of all its users. It can't be undone.

    With the answer names, contacts, addresses and metadata are gone. The operation then deletes the contact log and
    removes all activities of the commerce, with trails, results and runs; their keys stay used, and their ids are 410.
    Read `Location` for the progress. A REFUSED item is held by an executor: repeat the erasure when its lease has
    ended. A repetition erases what is left, or nothing.
    """
    return await _erase(opened, caller, Subject(caller.tenant_id, commerce_id, None), query)


@router.delete(
    "/users/{user_id}/personal-data",
    status_code=202,
    response_model=OperationRead,
    responses=_responses(CommerceNotFound, NotFound),
)
async def erase_user(
    caller: CanErase, opened: Opened, commerce_id: UUID, user_id: UUID, query: Annotated[ErasureQuery, Query()]
) -> Response:
    """Erase the personal data of a user of a commerce. It can't be undone.

    As for a commerce, with the activities that are aimed at the user. Explanations and trails of the commerce's other
    activities no longer have the user's id. Their values stay: if one of them names the person, erase it too.
    """
    return await _erase(opened, caller, Subject(caller.tenant_id, commerce_id, user_id), query)


async def _erase(opened: Resources, caller: Caller, subject: Subject, query: ErasureQuery) -> Response:
    operation = BulkOperation(
        id=query.operation_id or draw_id(),
        tenant_id=caller.tenant_id,
        filter=ActivityFilter(commerce_id=subject.commerce_id),
        change=BulkChange(
            verb=BulkVerb.ERASE,
            reason=REASON,
            commerce_user_id=subject.user_id,
            cancel_open=query.cancel_open,
        ),
        actor=caller.subject,
        request_id=caller.request_id,
        confirm_total=MOST_ITEMS,
    )
    if query.operation_id and (answer := await answer_known(opened, caller, operation)):
        return answer

    async def prepare(connection: AsyncConnection) -> None:
        await _require_erasable(connection, subject, query)
        await erase_person(connection, subject)
        await connection.execute(audit_statement(operation, subject))

    return await accept(opened, caller, operation, prepare)


async def _require_erasable(connection: AsyncConnection, subject: Subject, query: ErasureQuery) -> None:
    """Lock the commerce or user, and raise the problem of one that is unknown or has open activities."""
    if (await connection.execute(lock_subject_statement(subject))).first() is None:
        if subject.user_id is not None:
            raise NotFound(f"The commerce has no user {subject.user_id}.")
        raise CommerceNotFound(f"This tenant has no commerce {subject.commerce_id}.")
    if query.cancel_open:
        return
    number: int = (await connection.execute(open_count_statement(subject))).scalar_one()
    if number:
        raise ActivitiesOpen(
            f"{number:,} of its activities are open. Nothing was erased: wait until they are closed, or send"
            " `cancel_open=true` to cancel them first.",
            members={"open": number},
        )
