"""Limit how often each tenant may make a call that all tenants share."""

from uuid import UUID


class TenantLimit:
    """Allow each tenant a number of calls a second, and a burst of them after a pause.

    The limit is this process's own. It keeps one number for each tenant that has ever called.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval = 1 / per_second
        self._tolerance = (burst - 1) * self._interval
        self._next: dict[UUID, float] = {}

    def take(self, tenant_id: UUID, now: float) -> float:
        """Count a call at `now`, in seconds, and return 0; or return the seconds until the tenant may call again."""
        # Each call moves the tenant's next one by an interval; the burst is the lead that it may have over the clock.
        due = max(self._next.get(tenant_id, now), now)
        wait = due - now - self._tolerance
        if wait > 0:
            return wait
        self._next[tenant_id] = due + self._interval
        return 0


LOOKUPS_PER_SECOND = 20
"""Temporal's list is allowed 1,000 questions a second in a namespace: 25 tenants at this rate, each at two processes of
the API, don't use it up. A caller asks once a second, as `Retry-After` says, for each activity that is RESOLVING."""
LOOKUPS_AT_ONCE = 40
