"""Responses with one activity: from its row, or before the row is written, from its run's input."""

from uuid import UUID

from fastapi import Response

from api.activities.schemas import CommerceAssignmentRead, ScheduledActivityRead, WorkflowRead
from api.http.auth import Caller, Permission
from api.http.dependencies import Resources
from runs.client import workflow_id
from workflows.messages import ScheduledActivityInput, Snapshot
from workflows.words import ActivityStatus


def respond_recorded(snapshot: Snapshot, caller: Caller, opened: Resources, *, status_code: int = 200) -> Response:
    """Compose the response that shows a recorded activity."""
    headers = {"Location": activity_path(snapshot.id), "ETag": f'"{snapshot.version}"'}
    return _answer(read_recorded(snapshot, caller, opened), status_code, headers)


def respond_resolving(scheduled: ScheduledActivityInput, *, status_code: int = 200) -> Response:
    """Compose the response that shows an activity whose row is not written yet."""
    headers = {"Location": activity_path(scheduled.id), "Retry-After": "1"}
    return _answer(read_resolving(scheduled), status_code, headers)


def read_recorded(snapshot: Snapshot, caller: Caller, opened: Resources) -> ScheduledActivityRead:
    """Compose the answer of a recorded activity; callers with OPERATE see its run."""
    workflow = None
    if caller.may(Permission.OPERATE):
        run_of = workflow_id(caller.tenant_id, snapshot.idempotency_key)
        url = f"{opened.temporal_ui_url}/namespaces/{opened.temporal.namespace}/workflows/{run_of}/{snapshot.run_id}"
        workflow = WorkflowRead(id=run_of, run_id=snapshot.run_id, url=f"{url}/history")
    return ScheduledActivityRead.of(snapshot, workflow)


def read_resolving(scheduled: ScheduledActivityInput) -> ScheduledActivityRead:
    """Compose the answer of a RESOLVING activity, from the members that its request determines."""
    request = scheduled.request
    known = request.model_dump(
        include={"type", "channel", "idempotency_key", "scheduled_at", "suggested_execution_time", "score"}
    )
    return ScheduledActivityRead(
        id=scheduled.id,
        status=ActivityStatus.RESOLVING,
        reason=None,
        user_status=None,
        commerce_assignment=CommerceAssignmentRead(
            commerce_id=request.commerce_id, assignment_reason=request.assignment_reason
        ),
        **known,
    )


def activity_path(activity_id: UUID) -> str:
    """Return the activity's path."""
    return f"/api/activities/{activity_id}"


def _answer(scheduled: ScheduledActivityRead, status_code: int, headers: dict[str, str]) -> Response:
    return Response(scheduled.model_dump_json(), status_code, headers, media_type="application/json")
