"""Write down that PostgreSQL was restored to an earlier point, and write a row again that is missing since."""

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from db import creation
from db.facts import read_creation_facts
from db.leases import expire_leases_statement
from db.rows import Event, Rows, address, event_insert, row_lock
from db.snapshots import MARKED_STATUS, read_snapshot
from workflows.display import contract_time
from workflows.messages import Restore, Snapshot
from workflows.resolution import decide
from workflows.words import EventType


async def restore_row(connection: AsyncConnection, restore: Restore, run_id: str) -> Snapshot:
    """Write the row again if it is missing, with the time that its run knows; add RESTORED to its trail; return it.

    A missing row is resolved anew, because the catalogues and the commerce may have been restored as well.

    Raises:
        RejectedError: the commerce or the reason is missing too, or another activity has the key.
    """
    scheduled = restore.scheduled
    found = await read_snapshot(connection, scheduled.tenant_id, scheduled.id)
    if found is None:
        await _write_row(connection, restore, run_id)
    await connection.execute(expire_leases_statement(address(scheduled.tenant_id, scheduled.id)))
    await connection.execute(_restored_statement(restore))
    restored = await read_snapshot(connection, scheduled.tenant_id, scheduled.id)
    assert restored is not None  # noqa: S101 - it was found or written in this transaction
    return restored


async def _write_row(connection: AsyncConnection, restore: Restore, run_id: str) -> None:
    scheduled = restore.scheduled
    known = await read_creation_facts(connection, scheduled)
    if key_of := known.key.recorded_id or known.key.removed_id:
        raise creation.key_exists_error(scheduled, key_of)
    if known.key.commerce_id is None:
        raise creation.commerce_missing_error(scheduled)
    record = decide(known.reason, known.target, known.attributes).as_record(scheduled)
    values = creation.parameters(record, run_id) | {"new_scheduled_at": restore.known.scheduled_at}
    await connection.execute(creation.RECORD_STATEMENT, values)


def _restored_statement(restore: Restore) -> Rows:
    """Build an INSERT of the event; it names what the run knew, and changes nothing of the row."""
    scheduled, known = restore.scheduled, restore.known
    row = row_lock(address(scheduled.tenant_id, scheduled.id), MARKED_STATUS.label("status"))
    details = {
        "version": known.version,
        "status": known.status.value,
        "scheduledAt": contract_time(known.scheduled_at),
    }
    event = Event(
        EventType.RESTORED,
        restore.key,
        from_status=row.c.status,
        request_id=scheduled.request_id,
        details=func.jsonb_build_object("known", literal(details, JSONB)),
    )
    return select(row.c.id).add_cte(event_insert(row, event))
