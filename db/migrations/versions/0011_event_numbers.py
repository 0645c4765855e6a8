"""Numbers of events: the trail is sorted by a number that is drawn under the row's lock.

The processes of the version before go on writing meanwhile: the trigger numbers their events too. Every step can be
repeated after a failure.
"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
oldest_code = "0007"
branch_labels = None
depends_on = None

NUMBER = """
CREATE OR REPLACE FUNCTION number_status_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    activity record;
BEGIN
    SELECT status, marked_at INTO activity FROM scheduled_activities
        WHERE tenant_id = NEW.tenant_id AND id = NEW.activity_id FOR NO KEY UPDATE;
    -- A query of its own, because it has to see what was committed before the lock was held.
    NEW.number = 1 + coalesce(
        (SELECT max(number) FROM status_events WHERE tenant_id = NEW.tenant_id AND activity_id = NEW.activity_id),
        -- of earlier events that have no numbers yet
        (SELECT count(*) FROM status_events WHERE tenant_id = NEW.tenant_id AND activity_id = NEW.activity_id));
    IF activity.status = 'DUE' AND NEW.from_status = 'READY' AND NEW.event_type <> 'DUE' THEN
        -- The row was marked ahead of its time, and the writer does not see that yet: the mark comes after it.
        UPDATE status_events SET number = NEW.number
            WHERE tenant_id = NEW.tenant_id AND activity_id = NEW.activity_id
                AND event_type = 'DUE' AND occurred_at = activity.marked_at;
        IF FOUND THEN
            NEW.number = NEW.number - 1;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER number_event BEFORE INSERT ON status_events
    FOR EACH ROW EXECUTE FUNCTION number_status_event();
"""
"""A trigger, so that every statement that writes an event draws its number in the same way."""

NUMBER_EARLIER_EVENTS = sa.text(
    """
    WITH batch AS MATERIALIZED (
        SELECT tenant_id, id FROM scheduled_activities WHERE (tenant_id, id) > (:tenant_id, :id)
            ORDER BY tenant_id, id LIMIT 1000),
    placed AS (
        SELECT tenant_id, activity_id, event_key,
                row_number() OVER (PARTITION BY tenant_id, activity_id ORDER BY occurred_at, status_events.id) AS number
            FROM status_events JOIN batch USING (tenant_id) WHERE activity_id = batch.id AND number IS NULL),
    numbered AS (
        UPDATE status_events AS event SET number = placed.number FROM placed
            WHERE (event.tenant_id, event.activity_id, event.event_key)
                = (placed.tenant_id, placed.activity_id, placed.event_key) AND event.number IS NULL)
    SELECT tenant_id, id FROM batch ORDER BY tenant_id DESC, id DESC LIMIT 1
    """
)
"""Numbers by the time, as the trail was sorted before. Each batch is a transaction: a lock is held for moments."""

COMMENT = "Its place in the trail, from 1. A trigger draws it under the row''s lock."
UNIQUE = "status_events_tenant_id_activity_id_number_key"
NOT_NULL = "status_events_number_not_null"


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE status_events ADD COLUMN IF NOT EXISTS number integer")
    op.execute(f"COMMENT ON COLUMN status_events.number IS '{COMMENT}'")
    op.execute(NUMBER)
    with op.get_context().autocommit_block():  # long work holds no lock that writers wait for
        _number_earlier_events()
        for name in (UNIQUE, NOT_NULL):
            op.execute(f"ALTER TABLE status_events DROP CONSTRAINT IF EXISTS {name}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {UNIQUE}")
        op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY {UNIQUE} ON status_events (tenant_id, activity_id, number)")
        op.execute(f"ALTER TABLE status_events ADD CONSTRAINT {UNIQUE} UNIQUE USING INDEX {UNIQUE}")
        op.execute(f"ALTER TABLE status_events ADD CONSTRAINT {NOT_NULL} NOT NULL number NOT VALID")
        op.execute(f"ALTER TABLE status_events VALIDATE CONSTRAINT {NOT_NULL}")


def _number_earlier_events() -> None:
    place = {"tenant_id": UUID(int=0), "id": UUID(int=0)}
    while place:
        last = op.get_bind().execute(NUMBER_EARLIER_EVENTS, place).one_or_none()
        place = {"tenant_id": last.tenant_id, "id": last.id} if last else {}


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER number_event ON status_events; DROP FUNCTION number_status_event()")
    op.drop_column("status_events", "number")
