"""Count the actions that Temporal Cloud bills for a life, in the recorded histories."""

from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent
ONE_EACH = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,  # also of a run that continues another
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
    EventType.EVENT_TYPE_TIMER_STARTED,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES,
}


def count_actions(history: WorkflowHistory) -> int:
    """Count the billable actions of a run; heartbeats and queries leave no event."""
    tasks = {_task_of_local_activity(event) for event in history.events} - {None}
    return len(tasks) + sum(map(_actions_of, history.events))


def _task_of_local_activity(event: HistoryEvent) -> int | None:
    """Return the task that a local activity belongs to: all those of one task are one action."""
    marker = event.marker_recorded_event_attributes
    return marker.workflow_task_completed_event_id if marker.marker_name == "core_local_activity" else None


def _actions_of(event: HistoryEvent) -> int:
    if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
        return event.activity_task_started_event_attributes.attempt
    return int(event.event_type in ONE_EACH)


@pytest.mark.parametrize(
    ("story", "actions"),
    [
        ("ready-and-due", 5),
        ("not-found", 4),
        ("asleep", 4),
        (
            "moved-and-canceled",
            11,
        ),  # a move has an update, a step, a search attribute and a timer, a cancellation no timer
        ("reconciled", 13),
    ],
)
def test_a_run_costs_so_many_actions(story: str, actions: int) -> None:
    history = WorkflowHistory.from_json(story, (FOLDER / f"{story}.json").read_text())
    assert count_actions(history) == actions
