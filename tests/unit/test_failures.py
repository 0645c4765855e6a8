"""Test which failures of Temporal and PostgreSQL are outages, and which failures are final for a step."""

import asyncio
import gc
import json
import logging
from collections.abc import Callable
from io import StringIO

import psycopg.errors
import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities_impl.failures import describe_failure
from api.http.failures import problem_of
from runs.payloads import UnreadablePayloadError
from workflows.steps import REFUSED, leave_failed_steps_unreported


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        (RPCStatusCode.UNAVAILABLE, 503),
        (RPCStatusCode.DEADLINE_EXCEEDED, 503),
        (RPCStatusCode.CANCELLED, 503),
        (RPCStatusCode.ABORTED, 503),
        (RPCStatusCode.UNKNOWN, 503),
        (RPCStatusCode.INTERNAL, 503),
        (RPCStatusCode.DATA_LOSS, 503),
        (RPCStatusCode.RESOURCE_EXHAUSTED, 429),
        (RPCStatusCode.INVALID_ARGUMENT, 500),
    ],
)
def test_a_broken_connection_is_an_outage_and_a_wrong_question_a_defect(status: RPCStatusCode, answered: int) -> None:
    assert problem_of(RPCError("transport error", status, b"")).status == answered


@pytest.mark.parametrize("status", [RPCStatusCode.RESOURCE_EXHAUSTED, RPCStatusCode.UNAVAILABLE])
def test_a_step_that_temporal_refuses_a_call_is_retried_and_says_so(status: RPCStatusCode) -> None:
    described = describe_failure(RPCError("namespace rate limit exceeded", status, b""))
    assert (described.type, described.non_retryable) == ("TemporalUnavailable", False)
    assert status.name in described.message


def refusal_by_postgresql(state: str) -> DBAPIError:
    """Return the failure as SQLAlchemy raises it."""
    return DBAPIError("SELECT 1", {}, psycopg.errors.lookup(state)("María"))


@pytest.mark.parametrize(
    ("state", "answered", "step_type"),
    [
        ("08006", 503, "DatabaseUnavailable"),
        ("25006", 503, "DatabaseUnavailable"),
        ("25P03", 503, "DatabaseUnavailable"),
        ("0A000", 503, "DatabaseUnavailable"),
        ("26000", 503, "DatabaseUnavailable"),
        ("40001", 503, "DatabaseUnavailable"),
        ("53100", 503, "DatabaseUnavailable"),
        ("55P03", 503, "DatabaseUnavailable"),
        ("57P01", 503, "DatabaseUnavailable"),
        ("58030", 503, "DatabaseUnavailable"),
        ("42501", 500, "UnexpectedError"),
        ("42P01", 500, "UnexpectedError"),
        ("XX000", 500, "UnexpectedError"),
        ("22001", 500, REFUSED),
        ("23514", 500, REFUSED),
    ],
)
def test_only_the_fault_of_data_is_final_and_the_text_names_the_sqlstate(
    state: str, answered: int, step_type: str
) -> None:
    failure = refusal_by_postgresql(state)
    assert problem_of(failure).status == answered
    described = describe_failure(failure)
    assert (described.type, described.non_retryable) == (step_type, False)
    assert state in described.message
    assert "María" not in described.message


@pytest.mark.parametrize(("state", "told"), [("55P03", "too long"), ("57014", "too long"), ("08006", "not available")])
def test_a_lock_or_a_slow_statement_is_not_told_as_an_outage(state: str, told: str) -> None:
    assert told in problem_of(refusal_by_postgresql(state)).detail


def test_simultaneous_failures_of_a_step_are_described_by_the_first() -> None:
    failures = ExceptionGroup("two changes of a bulk operation", [refusal_by_postgresql("42501"), OSError()])
    described = describe_failure(failures)
    assert (described.type, "42501" in described.message) == ("UnexpectedError", True)


def test_stored_data_that_can_not_be_decoded_are_final_and_a_defect_is_not() -> None:
    with pytest.raises(ValidationError) as undecodable:
        TypeAdapter(int).validate_json('"x"')
    assert describe_failure(undecodable.value).type == REFUSED
    assert describe_failure(AttributeError("name")).type == "UnexpectedError"


PERSON = "Maria Hernandez"


def chained() -> None:
    try:
        TypeAdapter(int).validate_python(PERSON)
    except ValidationError as failure:
        raise RuntimeError(failure) from failure


def grouped() -> None:
    raise ExceptionGroup(PERSON, [ValueError(PERSON), refusal_by_postgresql("23514")])


@pytest.mark.parametrize(
    ("fail", "kinds"), [(chained, ["ValidationError", "RuntimeError"]), (grouped, ["ValueError", "DBAPIError"])]
)
def test_a_library_that_logs_an_exception_logs_its_kinds_and_places_without_the_messages(
    log: StringIO, fail: Callable[[], None], kinds: list[str]
) -> None:
    try:
        fail()
    except Exception:
        logging.getLogger("temporalio.worker").exception("Failed activation")
    said = json.loads(log.getvalue())["exception"]
    assert [kind in said for kind in (*kinds, f"in {fail.__name__}")] == [True] * 3
    assert PERSON not in log.getvalue()


def test_a_task_that_failed_unnoticed_is_logged_without_the_message(log: StringIO) -> None:
    failure = ValueError(PERSON)
    message = f"Task exception was never retrieved\nfuture: <Task finished exception={failure!r}>"
    logging.getLogger("asyncio").error(message, exc_info=failure)
    line = json.loads(log.getvalue())
    assert (line["event"], line["exception"]) == ("Task exception was never retrieved", "ValueError")


def test_a_missing_key_of_the_encryption_is_named(log: StringIO) -> None:
    failure = UnreadablePayloadError("PAYLOAD_ENCRYPTION_KEYS lacks the key 'old1' of a payload")
    logging.getLogger("temporalio.worker").warning("Failed activation", exc_info=failure)
    assert "lacks the key 'old1'" in log.getvalue()


async def lose(failure: Exception) -> None:
    """Let a task fail that nothing awaits."""
    leave_failed_steps_unreported()

    async def fail() -> None:
        raise failure

    lost = asyncio.create_task(fail())
    await asyncio.wait([lost])
    del lost
    gc.collect()


def test_a_failed_step_that_nothing_awaits_is_not_logged_and_a_defect_is(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.run(lose(ApplicationError("There is no attribute key “a secret”.")))
    assert caplog.text == ""
    asyncio.run(lose(ValueError("a defect")))
    assert "a defect" in caplog.text
