"""Check the ids that the service draws, what their time is used for, and the limit of each tenant's questions."""

import time
from collections import Counter
from datetime import UTC, datetime
from uuid import RFC_4122, UUID, uuid4

import pytest

from runs.ids import draw_id, is_young
from tests.support.activities import drawn_ago
from tests.support.builders import COMMERCE_ID
from workflows.messages import ScheduledActivityInput, ScheduledActivityRequest, Standing
from workflows.words import ActivityStatus, ActivityType, Channel

DUE_AT = datetime(2031, 1, 1, tzinfo=UTC)


def test_an_id_is_a_version_7_uuid_of_this_moment() -> None:
    before, drawn, after = time.time_ns(), draw_id(), time.time_ns()
    assert (drawn.version, drawn.variant) == (7, RFC_4122)
    assert before // 1_000_000 <= drawn.int >> 80 <= after // 1_000_000


def test_the_random_bits_of_ids_differ_within_a_millisecond() -> None:
    drawn = [draw_id() for _ in range(5000)]
    assert len({one.int & (1 << 62) - 1 for one in drawn}) == len(drawn)
    assert len({one.int >> 64 & 0xFFF for one in drawn}) > 2000  # of 4,096


@pytest.mark.parametrize("age", [0, 60, -60])
def test_an_id_of_the_last_two_minutes_is_young_and_so_is_one_of_a_clock_ahead(age: float) -> None:
    assert is_young(drawn_ago(age))


@pytest.mark.parametrize(
    "drawn",
    [
        drawn_ago(121),
        drawn_ago(86_400),
        drawn_ago(-86_400),
        uuid4(),
        UUID(int=draw_id().int ^ 0xF << 76),
        UUID(int=0),
        UUID(int=(1 << 128) - 1),
    ],
    ids=["121 s", "a day", "a day ahead", "v4", "v8", "nil", "max"],
)
def test_no_other_id_is_young(drawn: UUID) -> None:
    assert not is_young(drawn)


def test_activities_that_are_created_in_one_instant_wake_at_times_spread_over_the_lead() -> None:
    request = ScheduledActivityRequest(
        type=ActivityType.MESSAGE,
        reason="r",
        channel=Channel.SMS,
        commerce_id=COMMERCE_ID,
        idempotency_key="k",
        scheduled_at=DUE_AT,
    )
    standing = Standing(status=ActivityStatus.READY, version=1, scheduled_at=DUE_AT)
    runs = [
        ScheduledActivityInput(id=draw_id(), tenant_id=COMMERCE_ID, request=request, lead_seconds=400)
        for _ in range(3000)
    ]
    ahead = Counter(int((DUE_AT - run.wake_at(standing)).total_seconds()) // 100 for run in runs)
    assert set(ahead) <= {1, 2, 3, 4}  # the last quarter stays free; only the last bucket's end is 400
    assert all(800 < ahead[bucket] < 1200 for bucket in (1, 2, 3))
