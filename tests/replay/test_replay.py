"""Replay every recorded history on today's code, in our sandbox and in the SDK's."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.common import HeaderCodecBehavior
from temporalio.worker import Replayer, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import NondeterminismError

from runs.encryption import Encryption
from runs.key_ring import KeyRing
from runs.payloads import build_data_converter, find_payloads, read_key_id
from runs.sandbox import Sandbox
from tests.replay.record import PATHS
from tests.support.encryption import BOTH_RING, NEW_RING, OLD_RING
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.reconciliation import ReconciliationWorkflow
from workflows.scheduled_activity import ScheduledActivityWorkflow

FOLDER = Path(__file__).parent
HISTORIES = sorted(FOLDER.glob("*.json"))


def history_of(recorded: Path) -> WorkflowHistory:
    """Read a history from its file."""
    return WorkflowHistory.from_json(recorded.stem, recorded.read_text())


def encrypted_history_of(recorded: Path) -> WorkflowHistory:
    """Read a history from its file, and encrypt it as a worker with the old key would have.

    What the SDK's core notes for itself in the marker of a local activity is never encrypted.
    """
    history = history_of(recorded)
    for event in history.events:
        marker = event.marker_recorded_event_attributes if event.HasField("marker_recorded_event_attributes") else None
        notes = list(marker.details["data"].payloads) if marker else []
        for payload in find_payloads(event):
            if payload not in notes:
                payload.CopyFrom(Encryption(OLD_RING).encrypt(payload))
    return history


def replayer(runner: WorkflowRunner, keys: KeyRing | None = None) -> Replayer:
    """Replay as the worker does, with this runner and these keys."""
    return Replayer(
        workflows=[ScheduledActivityWorkflow, BulkOperationWorkflow, ReconciliationWorkflow],
        workflow_runner=runner,
        data_converter=build_data_converter(keys),
        header_codec_behavior=HeaderCodecBehavior.CODEC,
    )


@pytest.mark.parametrize("runner", [Sandbox, SandboxedWorkflowRunner], ids=["ours", "the SDK's"])
@pytest.mark.parametrize("recorded", HISTORIES, ids=lambda path: path.stem)
async def test_a_recorded_history_replays_on_todays_code(recorded: Path, runner: Callable[[], WorkflowRunner]) -> None:
    """The SDK's runner imports the workflow files anew and refuses clocks, randomness and I/O in them."""
    await replayer(runner()).replay_workflow(history_of(recorded))


@pytest.mark.parametrize("recorded", HISTORIES, ids=lambda path: path.stem)
async def test_a_history_from_before_the_encryption_replays_with_keys(recorded: Path) -> None:
    await replayer(Sandbox(), NEW_RING).replay_workflow(history_of(recorded))


@pytest.mark.parametrize("recorded", HISTORIES, ids=lambda path: path.stem)
async def test_an_encrypted_history_replays_while_its_key_is_in_the_ring(recorded: Path) -> None:
    history = encrypted_history_of(recorded)
    assert "old1" in {read_key_id(payload) for event in history.events for payload in find_payloads(event)}
    await replayer(Sandbox(), BOTH_RING).replay_workflow(history)


async def test_a_history_whose_key_is_missing_does_not_replay() -> None:
    with pytest.raises(RuntimeError, match=r"Workflow activation completion failed: .*Encoded failure"):
        await replayer(Sandbox(), NEW_RING).replay_workflow(encrypted_history_of(FOLDER / "ready-and-due.json"))


@pytest.mark.parametrize("path", PATHS)
def test_there_is_a_history_of_every_path(path: str) -> None:
    assert any(recorded.name.split(".")[0] == path for recorded in HISTORIES)


async def test_a_history_that_another_story_wrote_does_not_replay() -> None:
    """Replay notices a step that was recorded in another place, which the tests above rely on."""
    history = json.loads((FOLDER / "ready-and-due.json").read_text())
    timer = next(event for event in history["events"] if event["eventType"] == "EVENT_TYPE_TIMER_STARTED")
    timer["timerStartedEventAttributes"]["timerId"] = "99"
    fired = next(event for event in history["events"] if event["eventType"] == "EVENT_TYPE_TIMER_FIRED")
    fired["timerFiredEventAttributes"]["timerId"] = "99"
    with pytest.raises(NondeterminismError):
        await replayer(Sandbox()).replay_workflow(WorkflowHistory.from_json("changed", history))


@pytest.mark.parametrize("recorded", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_names_no_machine(recorded: Path) -> None:
    def identities(value: Any) -> set[str]:
        if isinstance(value, list):
            return {found for inner in value for found in identities(inner)}
        if not isinstance(value, dict):
            return set()
        own = {value["identity"]} if isinstance(value.get("identity"), str) else set()
        return own | {found for inner in value.values() for found in identities(inner)}

    assert identities(json.loads(recorded.read_text())) <= {"recorder"}
    assert "stackTrace" not in recorded.read_text()
