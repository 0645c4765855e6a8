"""The Python client in use: each kind of call that callers make, against a running service."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

import pytest

from activities_client import ApiError, connect, create_by_lines, create_once, expect, iterate_items
from activities_client.generated.api.activities import (
    cancel_activity,
    change_activity,
    create_activities,
    create_activity,
    explain_activity,
    get_activity,
    list_activities,
    list_status_events,
)
from activities_client.generated.api.configuration import list_reasons
from activities_client.generated.api.executions import claim_activities
from activities_client.generated.api.many_at_once import cancel_activities
from activities_client.generated.api.results import submit_result
from activities_client.generated.client import AuthenticatedClient
from activities_client.generated.models import (
    ActivityPage,
    ActivityPatch,
    ActivityResultCreate,
    ActivityStatus,
    ActivityType,
    BatchResult,
    BatchResults,
    BulkCancelCreate,
    BulkDryRunRead,
    BulkFilter,
    CancelCreate,
    CatalogueEntryPage,
    Channel,
    ClaimedActivities,
    ClaimedActivityRead,
    ExecutionClaim,
    ExplanationDryRunRead,
    IdempotencyKeyExistsRead,
    ListActivitiesStatusItem,
    ProblemRead,
    ResultStatus,
    ScheduledActivityBatch,
    ScheduledActivityCreate,
    ScheduledActivityRead,
    StatusEventPage,
)

LATER = datetime(2035, 1, 16, 9, tzinfo=UTC)
AT_ONCE = datetime(2025, 1, 16, 9, tzinfo=UTC)


def new_activity(
    commerce_id: UUID, at: datetime = LATER, channel: Channel = Channel.WHATSAPP
) -> ScheduledActivityCreate:
    """Return the contract's example, with a key of its own."""
    return ScheduledActivityCreate(
        type_=ActivityType.MESSAGE,
        reason="Monthly promotion",
        channel=channel,
        commerce_id=commerce_id,
        idempotency_key=f"client-{uuid4()}",
        scheduled_at=at,
        attribute_keys=["commerce_info"],
    )


def use_python_client(url: str, token: str, tenant_id: UUID, commerce_id: UUID) -> None:
    """Use the client for each kind of call; what it returns is asserted."""
    with connect(url, token=token, tenant_id=tenant_id) as client:
        body = new_activity(commerce_id)
        created = expect(ScheduledActivityRead, create_activity.sync_detailed(client=client, body=body))
        _require_conflicts(client, body, created)
        _require_lists(client, commerce_id)
        _require_changes(client, created)
        _require_many(client, commerce_id)
        _require_execution(client, commerce_id)


def _require_conflicts(
    client: AuthenticatedClient, body: ScheduledActivityCreate, created: ScheduledActivityRead
) -> None:
    assert (created.status, created.scheduled_at) == (ActivityStatus.READY, LATER)
    repeated = create_activity.sync_detailed(client=client, body=body)
    assert repeated.status_code == HTTPStatus.CONFLICT
    assert isinstance(repeated.parsed, IdempotencyKeyExistsRead)
    assert repeated.parsed.activity
    assert (repeated.parsed.same_request, repeated.parsed.activity.id) == (True, created.id)
    assert create_once(client, body).id == created.id
    other = ScheduledActivityCreate.from_dict(body.to_dict() | {"score": 5})
    with pytest.raises(ApiError) as caught:
        create_once(client, other)
    assert (caught.value.status, caught.value.code) == (HTTPStatus.CONFLICT, "idempotency_key_exists")


def _require_lists(client: AuthenticatedClient, commerce_id: UUID) -> None:
    made = {create_once(client, new_activity(commerce_id, channel=Channel.EMAIL)).id for _ in range(3)}
    first = expect(ActivityPage, list_activities.sync_detailed(client=client, channel=Channel.EMAIL, per_page=2))
    assert (len(first.data), first.meta.limit) == (2, 2)
    cursor = first.meta.next_cursor
    assert cursor is not None
    second = expect(ActivityPage, list_activities.sync_detailed(client=client, cursor=cursor, channel=Channel.EMAIL))
    assert made <= {one.id for page in (first, second) for one in page.data}
    statuses = [ListActivitiesStatusItem.READY]
    operation = list_activities.sync_detailed
    listed = iterate_items(ActivityPage, operation, client=client, status=statuses, channel=Channel.EMAIL, per_page=1)
    assert made <= {one.id for one in listed}
    reasons = iterate_items(CatalogueEntryPage, list_reasons.sync_detailed, client=client, per_page=1)
    assert "monthly_promotion" in {one.code for one in reasons}


def _require_changes(client: AuthenticatedClient, created: ScheduledActivityRead) -> None:
    read = get_activity.sync_detailed(created.id, client=client)
    etag = read.headers["ETag"]
    change = ActivityPatch(scheduled_at=LATER + timedelta(days=1), change_reason="The shop is closed")
    changed = change_activity.sync_detailed(created.id, client=client, body=change, if_match=etag)
    assert expect(ScheduledActivityRead, changed).scheduled_at == change.scheduled_at
    stale = change_activity.sync_detailed(created.id, client=client, body=change, if_match=etag)
    assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
    assert isinstance(stale.parsed, ProblemRead)
    cancelled = cancel_activity.sync_detailed(created.id, client=client, body=CancelCreate(reason="Sold out"))
    assert expect(ScheduledActivityRead, cancelled).status == ActivityStatus.CANCELED
    trail = iterate_items(StatusEventPage, list_status_events.sync_detailed, created.id, client=client, per_page=1)
    assert [event.to_status for event in trail][-1] == ActivityStatus.CANCELED


def _require_many(client: AuthenticatedClient, commerce_id: UUID) -> None:
    bodies = [new_activity(commerce_id) for _ in range(3)]
    batch = create_activities.sync_detailed(client=client, body=ScheduledActivityBatch(activities=bodies))
    assert _statuses(expect(BatchResults, batch).results) == [HTTPStatus.CREATED] * 3
    wrong = bodies[0].to_dict() | {"idempotency_key": "", "channel": "FAX"}
    results = list(create_by_lines(client, [*bodies, wrong, new_activity(commerce_id)]))
    assert _statuses(results) == [HTTPStatus.CONFLICT] * 3 + [HTTPStatus.BAD_REQUEST, HTTPStatus.CREATED]
    assert isinstance(results[3].body, ProblemRead)
    selected = BulkFilter(commerce_id=commerce_id)
    wanted = BulkCancelCreate(filter_=selected, reason="The campaign ends", dry_run=True)
    dry_run = expect(BulkDryRunRead, cancel_activities.sync_detailed(client=client, body=wanted))
    assert dry_run.total >= len(bodies)
    explained = explain_activity.sync_detailed(client=client, body=new_activity(commerce_id))
    assert expect(ExplanationDryRunRead, explained).status == ActivityStatus.READY


def _statuses(results: list[BatchResult]) -> list[int]:
    return [result.status for result in results]


def _require_execution(client: AuthenticatedClient, commerce_id: UUID) -> None:
    """Claim until it is handed out: in a shared tenant others are due, too."""
    due = create_once(client, new_activity(commerce_id, AT_ONCE, Channel.PUSH))
    claimed = _claim(client, due.id)
    result = ActivityResultCreate(
        activity_id=claimed.id,
        lease_token=claimed.lease_token,
        occurred_at=datetime.now(UTC),
        status=ResultStatus.COMPLETED,
    )
    assert submit_result.sync_detailed(client=client, body=result).status_code == HTTPStatus.CREATED
    ended = expect(ScheduledActivityRead, get_activity.sync_detailed(due.id, client=client))
    assert ended.status == ActivityStatus.COMPLETED


def _claim(client: AuthenticatedClient, activity_id: UUID) -> ClaimedActivityRead:
    while True:
        wanted = ExecutionClaim(channels=[Channel.PUSH], executor="python-client", wait_seconds=5, claim_id=uuid4())
        claimed = expect(ClaimedActivities, claim_activities.sync_detailed(client=client, body=wanted))
        for activity in claimed.data:
            if activity.id == activity_id:
                return activity
