"""The errors that callers can see, one class each, in the format of RFC 9457 (problem+json)."""

from collections.abc import Mapping
from functools import reduce
from http import HTTPStatus
from operator import or_
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.http.headers import with_headers
from workflows.messages import Fault, Rejection
from workflows.tenant_limits import BODY_RATE, BODY_SECONDS
from workflows.words import ActivityStatus, RemovalCause

MEDIA_TYPE = "application/problem+json"


class ProblemRead(BaseModel):
    """A problem as in RFC 9457, with the vendor's members."""

    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True, validate_by_name=True, extra="allow")

    type: str = Field(examples=["urn:problem:validation_failed"])
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do.")
    instance: str = Field(description="The request's path.")
    status_code: int
    error: str
    message: str
    code: str = Field(description="A stable code. Branch on this member.")
    errors: list[Fault] = Field(description="A JSON pointer and a sentence for each wrong field.")
    request_id: str


class WrongStatusRead(ProblemRead):
    """The problem of a change that the activity's status doesn't allow."""

    actual_status: ActivityStatus | None = Field(default=None, description="The status; absent if it is not known.")


class LimitRead(BaseModel):
    """A limit that is reached."""

    name: str
    most: int


class LimitReachedRead(ProblemRead):
    """The problem of a limit that is reached."""

    limit: LimitRead


class AmbiguousProviderIdRead(ProblemRead):
    """The problem of a provider's id that several activities have."""

    activity_ids: list[str] = Field(description="The ids of these activities.")


class TotalNotConfirmedRead(ProblemRead):
    """The problem of a filter that matches more activities than are confirmed."""

    total: int = Field(description="The number of activities that the filter matches.")
    at_most: int


class ActivityGoneRead(ProblemRead):
    """The problem of an activity that was removed."""

    cause: RemovalCause = Field(description="RETENTION: the tenant keeps closed activities no longer.")
    removed_at: str = Field(description="The time of the removal.")


class ActivitiesOpenRead(ProblemRead):
    """The problem of an erasure that open activities forbid."""

    open: int = Field(description="The number of activities that are not closed.")


class Problem(Exception):
    """Base of all problems. A subclass has the status, code and title; an instance has the detail."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    title: ClassVar[str]
    model: ClassVar[type[ProblemRead]] = ProblemRead
    names_headers: ClassVar[tuple[str, ...]] = ()
    """The headers that this problem may have beside those of every answer."""

    def __init__(
        self,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.headers = headers or {}
        self.members = members or {}

    def body(self, path: str, request_id: str) -> dict[str, object]:
        """Compose the response's members, ready for JSON."""
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
        return {**problem.model_dump(mode="json"), **self.members}


class ValidationFailed(Problem):
    """The request is not valid. `errors` lists all faults."""

    status, code, title = HTTPStatus.BAD_REQUEST, "validation_failed", "The request is not valid"


class UnknownReason(Problem):
    """The reason is not in the tenant's catalogue."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_reason", "Unknown reason"


class UnknownUserStatus(Problem):
    """The user status is not in the tenant's catalogue."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_user_status", "Unknown user status"


class UnknownAttributeKey(Problem):
    """An attribute key is not in the tenant's catalogue, or has no policy and no built-in resolver."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_attribute_key", "Unknown attribute key"


class AttributeValueMissing(Problem):
    """A CALLER_PROVIDED attribute has neither a value nor a fallback."""

    status, code, title = HTTPStatus.BAD_REQUEST, "attribute_value_missing", "Attribute value missing"


class Unauthenticated(Problem):
    """The token or the API key is missing, expired, revoked or not valid."""

    status, code, title = HTTPStatus.UNAUTHORIZED, "unauthenticated", "Not authenticated"

    def __init__(self, detail: str, *, challenge: str = 'Bearer error="invalid_token"') -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class PermissionDenied(Problem):
    """The token or the API key lacks a permission in this tenant."""

    status, code, title = HTTPStatus.FORBIDDEN, "permission_denied", "Permission denied"


class TenantDenied(Problem):
    """The token doesn't name this tenant, or the API key belongs to another."""

    status, code, title = HTTPStatus.FORBIDDEN, "tenant_denied", "Not your tenant"


class CommerceNotFound(Problem):
    """The tenant has no active commerce with this id."""

    status, code, title = HTTPStatus.NOT_FOUND, "commerce_not_found", "Commerce not found"


class ActivityNotFound(Problem):
    """The tenant has no activity with this id."""

    status, code, title = HTTPStatus.NOT_FOUND, "activity_not_found", "Activity not found"


class ActivityGone(Problem):
    """The activity was removed, by the tenant's retention or with personal data; `detail` says when and why."""

    model = ActivityGoneRead
    status, code, title = HTTPStatus.GONE, "activity_gone", "Activity is gone"


class NotFound(Problem):
    """The tenant has no such resource, or the path doesn't exist."""

    status, code, title = HTTPStatus.NOT_FOUND, "not_found", "Not found"


class MethodNotAllowed(Problem):
    """The path has no such method."""

    status, code, title = HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"


class IdempotencyKeyExists(Problem):
    """An activity with this key exists. The response has the activity and the differences to the request."""

    names_headers = ("Location", "Retry-After")
    status, code, title = HTTPStatus.CONFLICT, "idempotency_key_exists", "Idempotency key already exists"


class AlreadyExists(Problem):
    """The tenant has a resource with this code, key, external id or priority already."""

    status, code, title = HTTPStatus.CONFLICT, "already_exists", "Already exists"


class LimitReached(Problem):
    """The tenant has as many of these as it may have. The response has the `limit`, with its `name` and `most`."""

    model = LimitReachedRead
    status, code, title = HTTPStatus.CONFLICT, "limit_reached", "Limit reached"


class WrongStatus(Problem):
    """The activity's status doesn't allow the change."""

    model = WrongStatusRead
    status, code, title = HTTPStatus.CONFLICT, "wrong_status", "Not possible in this status"


class AmbiguousProviderId(Problem):
    """Several open activities have the provider's id; with `hard_override` closed ones count. Send `activity_id`."""

    model = AmbiguousProviderIdRead
    status, code, title = HTTPStatus.CONFLICT, "ambiguous_provider_id", "Several activities have this provider's id"


class StaleEtag(Problem):
    """The activity has changed since the ETag in `If-Match` was read."""

    status, code, title = HTTPStatus.PRECONDITION_FAILED, "stale_etag", "Changed since it was read"


class OperationIdExists(Problem):
    """Another bulk change was accepted with this `operation_id`. The response has the operation and the differences."""

    names_headers = ("Location",)
    status, code, title = HTTPStatus.CONFLICT, "operation_id_exists", "Operation id already exists"


class TotalNotConfirmed(Problem):
    """The filter matches more activities than are confirmed. The response has the `total`."""

    model = TotalNotConfirmedRead
    status, code, title = HTTPStatus.CONFLICT, "total_not_confirmed", "Total not confirmed"


class ActivitiesOpen(Problem):
    """The commerce or user has open activities, which are cancelled only with `cancel_open=true`."""

    model = ActivitiesOpenRead
    status, code, title = HTTPStatus.CONFLICT, "activities_open", "Activities are open"


class LeaseNotFound(Problem):
    """The tenant has no lease with this token, or the activity was claimed again or removed since."""

    status, code, title = HTTPStatus.NOT_FOUND, "lease_not_found", "Lease not found"


class LeaseEnded(Problem):
    """The lease has expired, was released, or ended with a result."""

    status, code, title = HTTPStatus.CONFLICT, "lease_ended", "The lease is over"


class UnknownTaskResultType(Problem):
    """The result is not one of the tenant's task result types."""

    status, code, title = HTTPStatus.BAD_REQUEST, "unknown_task_result_type", "Unknown task result type"


class BodyTooLarge(Problem):
    """The body has more bytes than the call accepts."""

    status, code, title = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", "Body too large"


class BodyTooSlow(Problem):
    """The body has not arrived in the time that it may take."""

    status, code, title = HTTPStatus.REQUEST_TIMEOUT, "body_too_slow", "Body too slow"

    def __init__(self) -> None:
        super().__init__(
            f"A body, or a line of a stream, must arrive within {BODY_SECONDS} s, and 1 s more for each"
            f" {BODY_RATE // 1024} KB of it. Send it faster, or in smaller parts.",
            headers={"Connection": "close"},
        )


class HeadTooLarge(Problem):
    """The request's line and headers have more bytes than the service accepts."""

    status, code, title = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", "Head too large"


class UnsupportedMediaType(Problem):
    """The body's `Content-Type` is not supported, or the body is compressed."""

    status, code, title = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type"


class Temporary(Problem):
    """Base of the problems that pass: wait for `Retry-After`, then send the request again."""

    def __init__(
        self,
        detail: str,
        *,
        retry_after: int = 2,
        location: str | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        headers = {"Retry-After": str(retry_after)} | ({"Location": location} if location else {})
        super().__init__(detail, headers=headers, members=members)


class RateLimited(Temporary):
    """The service or the tenant is at its limit. Wait for `Retry-After`, then send the request again."""

    status, code, title = HTTPStatus.TOO_MANY_REQUESTS, "rate_limited", "Too many requests"


class QuotaExceeded(Temporary):
    """The tenant has as many open activities, or queued bulk operations, as its quota allows; `detail` says which.

    Cancel or stop some, or wait until some are due or have ended.
    """

    status, code, title = HTTPStatus.TOO_MANY_REQUESTS, "quota_exceeded", "Quota exceeded"


class Unavailable(Temporary):
    """The service can't answer at the moment. Wait for `Retry-After`, then send the request again."""

    status, code, title = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Temporarily unavailable"


class InternalError(Problem):
    """The service has a defect. Its log has the details under `requestId`."""

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
"""The problems by the code with which a run rejects a creation or a change."""


def from_rejection(rejection: Rejection) -> Problem:
    """Convert a run's rejection to a problem."""
    members = {"actualStatus": rejection.status} if rejection.status else {}
    return REJECTIONS[rejection.code](rejection.detail, faults=rejection.faults, members=members)


ALWAYS: tuple[type[Problem], ...] = (HeadTooLarge, InternalError)
"""The problems that every request can end with."""
WITH_CALLER: tuple[type[Problem], ...] = (
    *(Unauthenticated, TenantDenied, PermissionDenied, ValidationFailed),
    *(RateLimited, Unavailable),
)
"""The problems of every request that needs a permission."""


def problem_responses(
    *problems: type[Problem], models: Mapping[type[Problem], type[ProblemRead]] | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route with these problems and those of every route.

    `models` has the model of each problem that has members of its own.
    """
    return list_problems(*problems, *WITH_CALLER, *ALWAYS, models=models)


def list_problems(
    *problems: type[Problem], models: Mapping[type[Problem], type[ProblemRead]] | None = None
) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of these problems alone; `x-codes` lists the codes of each status."""
    by_status: dict[int | str, list[type[Problem]]] = {}
    for problem in problems:
        by_status.setdefault(problem.status.value, []).append(problem)
    return {
        status: {
            "model": reduce(or_, dict.fromkeys((models or {}).get(one, one.model) for one in those)),
            "description": describe(*those),
            "x-codes": [problem.code for problem in those],
            **with_headers(*(name for problem in those for name in problem.names_headers)),
        }
        for status, those in by_status.items()
    }


def describe(*problems: type[Problem]) -> str:
    """Return the OpenAPI description of a response that is one of these problems."""
    return " ".join(f"`{problem.code}`: {' '.join((problem.__doc__ or '').split())}" for problem in problems)
