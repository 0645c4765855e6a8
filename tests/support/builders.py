"""Plain functions that make what tests need."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.models import AttributeKey, Commerce, CommerceUser, Reason

COMMERCE_ID = UUID("880e8400-e29b-41d4-a716-446655440000")
LONG_AGO = "2025-01-16T09:00:00.000Z"


@dataclass(frozen=True)
class Tenant:
    """A tenant with one commerce: an owner, a representative (both reachable) and a user without contacts."""

    id: UUID = field(default_factory=uuid4)
    owner_id: UUID = field(default_factory=uuid4)
    representative_id: UUID = field(default_factory=uuid4)
    contactless_id: UUID = field(default_factory=uuid4)


def contract_example(**changes: Any) -> dict[str, Any]:
    """The body of the contract's example, with a key of its own."""
    return {
        "type": "MESSAGE",
        "reason": "Monthly promotion",
        "channel": "WHATSAPP",
        "commerce_id": str(COMMERCE_ID),
        "idempotency_key": f"msg-{uuid4()}",
        "scheduled_at": LONG_AGO,
        "attribute_keys": ["commerce_info"],
    } | changes


def from_now(**duration: float) -> str:
    """A time as callers write it."""
    return (datetime.now(UTC) + timedelta(**duration)).isoformat(timespec="milliseconds")


async def insert_tenant(connection: AsyncConnection) -> Tenant:
    """The rows of a new tenant."""
    tenant = Tenant()
    reachable = [{"contact_type": kind, "value": value, "is_primary": True} for kind, value in CONTACTS.items()]
    await connection.execute(
        insert(Commerce).values(
            tenant_id=tenant.id,
            id=COMMERCE_ID,
            external_id="store-1",
            name="Tienda Uno",
            tax_id="20-1",
            addresses=[{"street": "Calle 1", "is_primary": True}],
        )
    )
    people: tuple[tuple[UUID, str, list[dict[str, Any]]], ...] = (
        (tenant.owner_id, "OWNER", reachable),
        (tenant.representative_id, "COMMERCE_REP", reachable),
        (tenant.contactless_id, "FINANCE", []),
    )
    await connection.execute(
        insert(CommerceUser),
        [
            {
                "tenant_id": tenant.id,
                "id": user_id,
                "commerce_id": COMMERCE_ID,
                "external_id": role.lower(),
                "name": f"Name of {role}",
                "roles": [role],
                "contacts": contacts,
            }
            for user_id, role, contacts in people
        ],
    )
    await connection.execute(insert(Reason).values(tenant_id=tenant.id, **MONTHLY_PROMOTION))
    keys = ("commerce_info", "promotions")
    await connection.execute(insert(AttributeKey), [{"tenant_id": tenant.id, "key": key, "label": key} for key in keys])
    return tenant


CONTACTS = {"WHATSAPP": "+5491100000001", "PHONE": "+5491100000001", "EMAIL": "owner@example.com"}
MONTHLY_PROMOTION = {
    "code": "monthly_promotion",
    "label": "Promocion Mensual",
    "aliases": ["Monthly promotion"],
}
