"""Act for the tenant that the input of a step names."""

from typing import Any

from temporalio import worker

from db.tenant import act_for


class ActForTenants(worker.Interceptor):
    """Make the tenant of its input the one whose rows a step sees; a step without one sees no rows."""

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        """Put the choice of the tenant before each step."""
        return _ActForTenant(next)


class _ActForTenant(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        act_for(getattr(input.args[0], "tenant_id", None) if input.args else None)
        return await super().execute_activity(input)
