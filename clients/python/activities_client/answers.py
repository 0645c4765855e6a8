"""Answers: the one that was hoped for, or an exception with the problem."""

from http import HTTPStatus
from typing import Any, TypeVar

from activities_client.generated.api.activities import create_activity
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import (
    IdempotencyKeyExistsRead,
    ScheduledActivityCreate,
    ScheduledActivityRead,
)
from activities_client.generated.types import Response

Answer = TypeVar("Answer")


class ApiError(Exception):
    """The API has answered with a problem. Branch on `code`; `problem` has the members of its kind."""

    def __init__(self, status: HTTPStatus, problem: Any) -> None:
        self.status = status
        self.problem = problem
        self.code: str | None = getattr(problem, "code", None)
        self.request_id: str | None = getattr(problem, "request_id", None)
        super().__init__(getattr(problem, "detail", None) or f"{status.value} {status.phrase}")

    @property
    def faults(self) -> list[str]:
        """The place and the reason of each wrong field."""
        return [f"{fault.pointer}: {fault.detail}" for fault in getattr(self.problem, "errors", ())]


def expect(kind: type[Answer], response: Response[Any]) -> Answer:
    """Return the answer of a call of `…_detailed` if it is of this kind.

    Raises:
        ApiError: it is a problem.

    """
    if isinstance(response.parsed, kind):
        return response.parsed
    raise ApiError(response.status_code, response.parsed)


def create_once(client: AuthenticatedClient, body: ScheduledActivityCreate) -> ScheduledActivityRead:
    """Create an activity, or return the one that the same request has created before.

    Raises:
        ApiError: the request was rejected, or its key belongs to another request or to an activity that was removed.

    """
    response = create_activity.sync_detailed(client=client, body=body)
    known = response.parsed
    if isinstance(known, IdempotencyKeyExistsRead) and known.same_request and known.activity:
        return known.activity
    return expect(ScheduledActivityRead, response)
