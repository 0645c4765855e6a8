"""The note that a row continues in another run."""

from sqlalchemy import Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from db.models import ScheduledActivity
from db.rows import Event, HasAddress, Rows, address, event_insert, row_lock
from db.snapshots import MARKED_STATUS
from workflows.words import EventType


def run_note_statement(
    ref: HasAddress,
    run_id: str,
    event_type: EventType | None,
    actor: str,
    *,
    key_id: str | None,
    **details: str,
) -> Rows:
    """Build an UPDATE that makes the row name another run and its key, with an event if `event_type` is given.

    It returns no row if the activity names that run already. It leaves the version as it is: nothing that a client can
    see of the activity has changed.
    """
    before = row_lock(address(ref.tenant_id, ref.id), ScheduledActivity.run_id, MARKED_STATUS.label("status"))
    row = (
        update(ScheduledActivity)
        .where(address(before.c.tenant_id, before.c.id), before.c.run_id != run_id)
        .values(run_id=run_id, payload_key_id=key_id)
        .returning(ScheduledActivity.tenant_id, ScheduledActivity.id, before.c.status, before.c.run_id.label("before"))
        .cte("written")
    )
    if event_type is None:
        return select(row.c.id)
    runs = func.jsonb_build_object(
        literal("runId", Text), literal(run_id, Text), literal("runBefore", Text), row.c.before
    )
    event = Event(
        event_type,
        f"run:{run_id}",
        from_status=row.c.status,
        actor=actor,
        details=runs.op("||")(literal(details, JSONB)),
    )
    return select(row.c.id).add_cte(event_insert(row, event))
