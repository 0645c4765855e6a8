"""Check the texts in Temporal's web UI: they describe a run, and hold nothing about people."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given

from tests.support.messages import any_message
from workflows import display
from workflows.messages import ProvidedAttribute, ScheduledActivityInput, ScheduledActivityRequest, Standing
from workflows.words import ActivityStatus, ActivityType, Channel, Pending

COMMERCE = UUID("880e8400-e29b-41d4-a716-446655440000")
AT = datetime(2025, 1, 16, 9, tzinfo=UTC)
SECRET = "María +52 555 0101"  # noqa: S105 - a person's name and number, where free text may be
SCHEDULED = ScheduledActivityInput(
    id=UUID(int=1),
    tenant_id=UUID(int=2),
    actor=SECRET,
    request=ScheduledActivityRequest(
        type=ActivityType.MESSAGE,
        reason=SECRET,
        channel=Channel.WHATSAPP,
        commerce_id=COMMERCE,
        idempotency_key=SECRET,
        scheduled_at=AT,
        user_status=SECRET,
        assignment_reason=SECRET,
        attribute_keys=(SECRET,),
        attributes=(ProvidedAttribute(key=SECRET, value=SECRET, fallback=SECRET),),
    ),
)


def test_the_headline_says_what_for_which_commerce_and_when_and_nothing_a_caller_wrote() -> None:
    assert display.headline(SCHEDULED) == f"WHATSAPP MESSAGE for commerce {COMMERCE} at 2025-01-16T09:00Z"


@given(any_message(ScheduledActivityInput))
def test_a_headline_fits_where_temporal_shows_it(scheduled: ScheduledActivityInput) -> None:
    assert len(display.headline(scheduled).encode()) <= 200  # the server refuses a summary of more than 400 bytes


def standing(status: ActivityStatus, *pending: Pending, why: str | None = None) -> Standing:
    """Build a standing of that status."""
    return Standing(status=status, version=1, scheduled_at=AT, pending=pending, why=why)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            standing(ActivityStatus.READY),
            "**READY**: sleeps until 2025-01-16T08:59Z, then marks the activity as due at 2025-01-16T09:00Z.",
        ),
        (
            standing(ActivityStatus.READY, Pending.TARGET, Pending.ATTRIBUTES),
            (
                "**READY**: sleeps until 2025-01-16T08:59Z, then resolves target, attributes "
                "and marks the activity as due at 2025-01-16T09:00Z."
            ),
        ),
        (
            standing(ActivityStatus.UNRESOLVED, why="target user: No user was found."),
            "**UNRESOLVED**: waits for an operator. target user: No user was found.",
        ),
        (standing(ActivityStatus.UNRESOLVED), "**UNRESOLVED**: waits for an operator."),
        (
            standing(ActivityStatus.DUE),
            "**DUE** from 2025-01-16T09:00Z on: marked for execution. PostgreSQL holds the activity from here.",
        ),
        (standing(ActivityStatus.CANCELED), "**CANCELED**: this run has nothing left to do."),
    ],
)
def test_the_details_say_the_state_what_it_waits_for_and_until_when(row: Standing, said: str) -> None:
    assert display.describe_standing(row, AT - timedelta(minutes=1)) == said


@pytest.mark.parametrize("status", ActivityStatus)
def test_every_status_has_words_of_its_own(status: ActivityStatus) -> None:
    assert f"**{status}**" in display.describe_standing(standing(status), AT)
