"""Check that messages cross Temporal unchanged, and that wake-ups lie within the lead."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.support.messages import all_messages, any_message
from workflows.messages import Message, ScheduledActivityInput, Standing
from workflows.words import ActivityStatus, Pending

CONVERTER = pydantic_data_converter.payload_converter


@pytest.mark.parametrize("message", all_messages())
@settings(max_examples=30)
@given(data=st.data())
def test_every_message_survives_the_round_trip_through_temporal(message: type[Message], data: st.DataObject) -> None:
    sent = data.draw(any_message(message))
    (received,) = CONVERTER.from_payloads(CONVERTER.to_payloads([sent]), [message])
    assert received == sent
    assert type(received) is message

    # An older reader ignores a field of a newer writer.
    newer = sent.model_dump(mode="json") | {"a_field_of_tomorrow": [1]}
    (received,) = CONVERTER.from_payloads(CONVERTER.to_payloads([newer]), [message])
    assert received == sent


@pytest.mark.parametrize("message", all_messages())
def test_a_message_is_immutable(message: type[Message]) -> None:
    assert message.model_config.get("frozen")


@given(any_message(ScheduledActivityInput), any_message(Standing))
def test_a_run_wakes_in_its_lead_and_never_after_its_time(
    scheduled: ScheduledActivityInput, standing: Standing
) -> None:
    wake_at = scheduled.wake_at(standing)
    lead = timedelta(seconds=scheduled.lead_seconds)
    assert standing.scheduled_at - lead <= wake_at <= standing.scheduled_at


@given(any_message(ScheduledActivityInput), any_message(Standing))
def test_what_a_person_has_to_assign_is_never_asked_for_ahead_of_its_time(
    scheduled: ScheduledActivityInput, standing: Standing
) -> None:
    manual = standing.model_copy(update={"pending": (Pending.MANUAL_TARGET,)})
    assert scheduled.wake_at(manual) == standing.scheduled_at


@given(any_message(ScheduledActivityInput), any_message(Standing))
def test_what_is_resolved_at_the_wake_up_is_resolved_shortly_before_its_time(
    scheduled: ScheduledActivityInput, standing: Standing
) -> None:
    for pending in (Pending.TARGET, Pending.ATTRIBUTES):
        late = standing.model_copy(update={"pending": (pending,)})
        lead = standing.scheduled_at - scheduled.wake_at(late)
        assert lead <= min(timedelta(seconds=30), timedelta(seconds=scheduled.lead_seconds / 5))


@given(any_message(ScheduledActivityInput), any_message(Standing), any_message(ScheduledActivityInput))
def test_when_a_run_wakes_is_decided_by_its_id_and_lead_alone(
    scheduled: ScheduledActivityInput, standing: Standing, other: ScheduledActivityInput
) -> None:
    twin = other.model_copy(update={"id": scheduled.id, "lead_seconds": scheduled.lead_seconds})
    assert twin.wake_at(standing) == scheduled.wake_at(standing)


def test_a_herd_is_spread_evenly_over_the_lead_but_for_its_last_quarter() -> None:
    """Of a thousand runs due at one instant, no twentieth of the lead gets more than a tenth."""
    standing = Standing(status=ActivityStatus.READY, version=1, scheduled_at=datetime(2030, 1, 1, tzinfo=UTC))
    twentieths = [0] * 20
    for number in range(1000):
        scheduled = _with_id(UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128))
        ahead = standing.scheduled_at - scheduled.wake_at(standing)
        twentieths[int(ahead / timedelta(seconds=15))] += 1
    assert twentieths[:5] == [0] * 5
    assert max(twentieths[5:]) < 100, twentieths
    assert min(twentieths[5:]) > 33, twentieths


def _with_id(activity_id: UUID) -> ScheduledActivityInput:
    return ScheduledActivityInput.model_validate(
        {
            "id": activity_id,
            "tenant_id": UUID(int=0),
            "lead_seconds": 300,
            "request": {
                "type": "TASK",
                "reason": "r",
                "channel": "SMS",
                "commerce_id": UUID(int=0),
                "idempotency_key": "k",
                "scheduled_at": "2030-01-01T00:00:00Z",
            },
        }
    )
