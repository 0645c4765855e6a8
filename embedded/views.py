"""Links to our views of Temporal's list of workflows, which the runbook explains."""

from urllib.parse import quote

VIEWS = {
    "all but rejected creations": "WorkflowType='ScheduledActivityWorkflow' AND ActivityStatus!='REJECTED'",
    "failed by a fault of ours": "ExecutionStatus='Failed' AND ActivityStatus!='REJECTED'",
    "waiting for an operator": "ExecutionStatus='Running' AND ActivityStatus='UNRESOLVED'",
    "failing workflow tasks": "ExecutionStatus='Running' AND TemporalReportedProblems IS NOT NULL",
}
"""The query of each view. A rejected creation closes as Failed, because only that frees its key."""


def link_views(ui_url: str, namespace: str = "default") -> dict[str, str]:
    """Return the link of each view."""
    return {name: f"{ui_url}/namespaces/{namespace}/workflows?query={quote(query)}" for name, query in VIEWS.items()}
