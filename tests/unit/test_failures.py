"""Test which failures of Temporal are outages, and are answered 503."""

import pytest
from temporalio.service import RPCError, RPCStatusCode

from api.http.failures import problem_of


@pytest.mark.parametrize(
    ("status", "answered"),
    [
        (RPCStatusCode.UNAVAILABLE, 503),
        (RPCStatusCode.DEADLINE_EXCEEDED, 503),
        (RPCStatusCode.CANCELLED, 503),
        (RPCStatusCode.ABORTED, 503),
        (RPCStatusCode.UNKNOWN, 503),
        (RPCStatusCode.RESOURCE_EXHAUSTED, 429),
        (RPCStatusCode.INVALID_ARGUMENT, 500),
    ],
)
def test_a_broken_connection_is_an_outage_and_a_wrong_question_a_defect(status: RPCStatusCode, answered: int) -> None:
    assert problem_of(RPCError("transport error", status, b"")).status == answered
