"""Every error that a caller can see: one class each, and one handler that writes RFC 9457 problem+json."""

from http import HTTPStatus
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from workflows.messages import Fault, Rejection

MEDIA_TYPE = "application/problem+json"


class ProblemRead(BaseModel):
    """An error as RFC 9457 has it, with the vendor's members beside."""

    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True, validate_by_name=True, extra="allow")

    type: str = Field(examples=["urn:problem:validation_failed"])
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do, in a sentence.")
    instance: str = Field(description="The request's path.")
    status_code: int
    error: str
    message: str
    code: str = Field(description="Stable; the member to branch on.")
    errors: list[Fault] = Field(description="A JSON pointer and a sentence per wrong field.")
    request_id: str


class Problem(Exception):
    """The base of all: a subclass has its status, code and title in one place; an instance adds the detail."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}
        self.members = members or {}

    def body(self, path: str, request_id: str) -> dict[str, Any]:
        """The members of the answer, JSON-ready."""
        problem = ProblemRead(
            type=f"urn:problem:{self.code}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            instance=path,
            status_code=self.status,
            error=self.status.phrase,
            message=self.detail,
            code=self.code,
            errors=list(self.faults),
            request_id=request_id,
        )
        return problem.model_dump(mode="json") | self.members


class ValidationFailed(Problem):
    """The request's shape is wrong; `errors[]` has all faults at once."""

    status, code, title = HTTPStatus.BAD_REQUEST, "validation_failed", "The request is not valid"


class UnknownReason(Problem):
    """The tenant's catalogue has no such reason."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_reason", "Unknown reason"


class UnknownUserStatus(Problem):
    """The tenant's catalogue has no such user status."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_user_status", "Unknown user status"


class UnknownAttributeKey(Problem):
    """An attribute key is not in the catalogue, or nothing can resolve it."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_attribute_key", "Unknown attribute key"


class AttributeValueMissing(Problem):
    """A CALLER_PROVIDED attribute came without value and fallback."""

    status, code, title = HTTPStatus.BAD_REQUEST, "attribute_value_missing", "Attribute value missing"


class Unauthenticated(Problem):
    """No token, or one that doesn't prove who calls."""

    status, code, title = HTTPStatus.UNAUTHORIZED, "unauthenticated", "Not authenticated"

    def __init__(self, detail: str, *, challenge: str = 'Bearer error="invalid_token"') -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class PermissionDenied(Problem):
    """The token lacks a permission in this tenant."""

    status, code, title = HTTPStatus.FORBIDDEN, "permission_denied", "Permission denied"


class TenantDenied(Problem):
    """The token doesn't name this tenant."""

    status, code, title = HTTPStatus.FORBIDDEN, "tenant_denied", "Not your tenant"


class CommerceNotFound(Problem):
    """No active commerce of this tenant has that id."""

    status, code, title = HTTPStatus.NOT_FOUND, "commerce_not_found", "Commerce not found"


class ActivityNotFound(Problem):
    """No activity of this tenant has that id."""

    status, code, title = HTTPStatus.NOT_FOUND, "activity_not_found", "Activity not found"


class NotFound(Problem):
    """Nothing of this tenant has that id, or there is no such path."""

    status, code, title = HTTPStatus.NOT_FOUND, "not_found", "Not found"


class MethodNotAllowed(Problem):
    """The path exists, for other methods."""

    status, code, title = HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"


class IdempotencyKeyExists(Problem):
    """An activity with this key exists; the answer has it, and what differs."""

    status, code, title = HTTPStatus.CONFLICT, "idempotency_key_exists", "Idempotency key already exists"


class AlreadyExists(Problem):
    """Something of this tenant has this code, key, external id or priority."""

    status, code, title = HTTPStatus.CONFLICT, "already_exists", "Already exists"


class WrongStatus(Problem):
    """The activity's status doesn't allow this."""

    status, code, title = HTTPStatus.CONFLICT, "wrong_status", "Not possible in this status"


class StaleEtag(Problem):
    """Somebody was faster."""

    status, code, title = HTTPStatus.PRECONDITION_FAILED, "stale_etag", "Changed since it was read"


class LeaseNotFound(Problem):
    """No activity of this tenant was handed out with this lease, or another executor has taken it since."""

    status, code, title = HTTPStatus.NOT_FOUND, "lease_not_found", "Lease not found"


class LeaseEnded(Problem):
    """The lease ran out, was released, or has had its result."""

    status, code, title = HTTPStatus.CONFLICT, "lease_ended", "The lease is over"


class UnknownTaskResultType(Problem):
    """The tenant's executors may not report this result."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_task_result_type", "Unknown task result type"


class BodyTooLarge(Problem):
    """The body has more bytes than the endpoint takes."""

    status, code, title = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "Body too large"


class UnsupportedMediaType(Problem):
    """The body isn't declared as JSON."""

    status, code, title = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type"


class RateLimited(Problem):
    """Temporal asks us to slow down."""

    status, code, title = HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "Too many requests"


class Unavailable(Problem):
    """Temporal or PostgreSQL can't be reached."""

    status, code, title = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class InternalError(Problem):
    """A defect of ours; the log has it under the request's id."""

    status, code, title = HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Internal error"


REJECTIONS: dict[str, type[Problem]] = {
    problem.code: problem
    for problem in (
        UnknownReason,
        UnknownUserStatus,
        UnknownAttributeKey,
        AttributeValueMissing,
        CommerceNotFound,
        ActivityNotFound,
        NotFound,
        WrongStatus,
        StaleEtag,
        ValidationFailed,
    )
}
"""What a run may refuse a creation or a change with."""


def from_rejection(rejection: Rejection) -> Problem:
    """The problem that a run's rejection is to the caller."""
    members = {"actualStatus": rejection.status} if rejection.status else {}
    return REJECTIONS[rejection.code](rejection.detail, faults=rejection.faults, members=members)


def documented(*problems: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI `responses` of a route that may answer these."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    always: tuple[type[Problem], ...] = (Unauthenticated, TenantDenied, PermissionDenied, ValidationFailed, Unavailable)
    for problem in (*problems, *always):
        by_status.setdefault(problem.status.value, []).append(problem)
    return {
        status: {
            "model": ProblemRead,
            "description": described(*those),
        }
        for status, those in by_status.items()
    }


def described(*problems: type[Problem]) -> str:
    """Return the OpenAPI description of a response that is one of these problems."""
    return " ".join(f"`{problem.code}`: {problem.__doc__}" for problem in problems)
