"""Check the bounds of changes that the web UI's update form sends unchecked."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from workflows.limits import find_fault
from workflows.messages import Cancel, ExecuteNow, Message, Refresh, Reschedule

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "change",
    [
        Cancel(reason="x" * 1000),
        ExecuteNow(),
        Reschedule(score=1, lead_seconds=300, if_versions=()),
        Reschedule(score=-(2**31)),
        Reschedule(scheduled_at=NOW + timedelta(days=3652)),
        Reschedule(suggested_execution_time=datetime(1970, 1, 1, tzinfo=UTC)),
        Reschedule(clear=("score",)),
        Reschedule(clear=("suggested_execution_time", "score"), scheduled_at=NOW),
    ],
)
def test_what_the_api_would_let_pass_passes(change: Message) -> None:
    assert find_fault(change, NOW) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Cancel(), "needs a reason"),
        (Cancel(reason=" "), "reason"),
        (Cancel(reason="\u200b"), "reason"),
        (Reschedule(score=1, reason="\u2800 \u00ad"), "reason"),
        (Reschedule(score=1, lead_seconds=-1), "lead_seconds"),
        (Reschedule(score=1, lead_seconds=1e300), "lead_seconds"),
        (Reschedule(score=1, lead_seconds=math.nan), "lead_seconds"),
        (Refresh(lead_seconds=math.inf), "lead_seconds"),
        (Reschedule(score=1, if_versions=tuple(range(101))), "if_versions"),
        (Reschedule(score=1, if_versions=(10**400,)), "if_versions"),
        (Reschedule(), "at least one of"),
        (Reschedule(clear=()), "at least one of"),
        (Reschedule(clear=("scheduled_at",)), "clear may name"),
        (Reschedule(clear=("status", "score")), "clear may name"),
        (Reschedule(clear=("score",), score=1), "can't clear a field and give it a value"),
        (Reschedule(reason="only said"), "at least one of"),
        (Reschedule(scheduled_at=datetime(9999, 1, 1, tzinfo=UTC)), "10 years"),
        (Reschedule(suggested_execution_time=datetime(1969, 12, 31, tzinfo=UTC)), "1970"),
        (Reschedule(score=2**31), "score"),
        (Reschedule(score=1, reason="a\0b"), "reason"),
        (Cancel(reason="\ud800"), "reason"),
        (Cancel(reason="x" * 1001), "reason"),
    ],
)
def test_what_the_api_would_reject_is_rejected_with_a_sentence(change: Message, said: str) -> None:
    fault = find_fault(change, NOW)
    assert fault
    assert said in fault
