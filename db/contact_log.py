"""Replaces a commerce's contact log by what was sent: two statements, however long it is."""

from sqlalchemy import Text, and_, bindparam, column, delete, exists, func, select
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID, insert

from db.models import ContactLogEntry

_TENANT = bindparam("tenant", type_=ContactLogEntry.tenant_id.type)
_COMMERCE = bindparam("commerce", type_=ContactLogEntry.commerce_id.type)

_sent = (
    func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    .table_valued(
        column("commerce_user_id", UUID),
        column("channel", Text),
        column("contacted_at", TIMESTAMP(timezone=True)),
        name="sent",
    )
    .render_derived(with_types=True)
)
_same = and_(
    ContactLogEntry.commerce_user_id == _sent.c.commerce_user_id,
    ContactLogEntry.channel == _sent.c.channel,
    ContactLogEntry.contacted_at == _sent.c.contacted_at,
)

REMOVE_OTHER_CONTACTS = (
    delete(ContactLogEntry)
    .where(
        ContactLogEntry.tenant_id == _TENANT,
        ContactLogEntry.commerce_id == _COMMERCE,
        ~exists(select(_sent.c.channel).where(_same)),
    )
    .returning(ContactLogEntry.id)
)
ADD_CONTACTS = (
    insert(ContactLogEntry)
    .from_select(
        ["tenant_id", "commerce_id", "commerce_user_id", "channel", "contacted_at"],
        select(_TENANT, _COMMERCE, _sent.c.commerce_user_id, _sent.c.channel, _sent.c.contacted_at),
    )
    .on_conflict_do_nothing()
    .returning(ContactLogEntry.id)
)
