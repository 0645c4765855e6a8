"""A worker that is gone right after its first change is committed, before Temporal hears of it."""

import os
import signal

import uvloop
from temporalio import activity

import worker
from activities_impl.scheduled_activities import ScheduledActivities
from workflows.messages import Apply, Standing


class Dying(ScheduledActivities):
    """Otherwise as it is deployed."""

    @activity.defn
    async def apply_change(self, apply: Apply) -> Standing:
        """Write the change, then die before its result is sent."""
        await super().apply_change(apply)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


if __name__ == "__main__":
    vars(worker)["ScheduledActivities"] = Dying
    uvloop.run(worker.main())
