"""The workflow that decides whether a new build of the worker may take tasks, by replaying open runs on it."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.activities import ReplayGateActivities
from workflows.messages import ReplayGate, ReplayGatePassed
from workflows.steps import run_long_step

AT_MOST = timedelta(minutes=30)
"""Shorter than the hour after which Temporal's Worker Controller gives a gate up."""
RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=10))


@workflow.defn
class ReplayGateWorkflow:
    """Replay a sample of the open runs of this task queue, and fail if the build would break one of them.

    A deployment controller starts it on a build that takes no other tasks yet, once in each of its task queues.
    """

    @workflow.run
    async def run(self, gate: ReplayGate | None = None) -> ReplayGatePassed:
        """Run the check; the failure names runs that would break."""
        step = ReplayGateActivities.replay_open_runs
        return await run_long_step(
            step, gate or ReplayGate(), "replay of open runs on this build", at_most=AT_MOST, retries=RETRIES
        )
