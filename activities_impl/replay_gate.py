"""Replay a sample of the open runs of a task queue on the code of this worker."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from runs.replay import DEFAULT_QUERY, STORIES, Replayed, replay
from workflows.activities import ReplayGateActivities
from workflows.messages import ReplayGate, ReplayGatePassed

AGES = (timedelta(0), timedelta(days=1), timedelta(days=7), timedelta(days=30), timedelta(days=36500))
"""The limits of the ages of runs that are sampled apart: the oldest were begun by the oldest code."""
NAMED = 10
"""The number of runs that a failure names."""
WOULD_BREAK = "ReplayWouldBreak"


class ReplayGates(ReplayGateActivities):
    """The step of the gate; it reads histories, and changes nothing."""

    def __init__(self, client: Client, stories: Sequence[type] = STORIES) -> None:
        self._client, self._stories = client, stories

    @activity.defn
    async def replay_open_runs(self, gate: ReplayGate) -> ReplayGatePassed:
        """Replay the latest runs of each age.

        Raises:
            ApplicationError: at least one run would break; it is final, because the same code would break it again.

        """
        now, found = datetime.now(UTC), Replayed()
        of_queue = f"{DEFAULT_QUERY} AND ExecutionStatus='Running' AND TaskQueue='{activity.info().task_queue}'"
        for youngest, oldest in pairwise(AGES):
            query = f"{of_queue} AND StartTime BETWEEN '{_format(now - oldest)}' AND '{_format(now - youngest)}'"
            replayed = await replay(self._client, query, gate.runs_of_each_age, self._stories)
            found.runs += replayed.runs
            found.broken |= replayed.broken
        if found.broken:
            raise _failure(found)
        return ReplayGatePassed(runs=found.runs)


def _failure(found: Replayed) -> ApplicationError:
    named = "; ".join(f"{run}: {failure[:200]}" for run, failure in list(found.broken.items())[:NAMED])
    text = f"{len(found.broken)} of {found.runs} runs would break on this build: {named}"
    return ApplicationError(text, type=WOULD_BREAK, non_retryable=True)


def _format(time: datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
