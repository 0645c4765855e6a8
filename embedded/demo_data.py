"""Load the demonstration data: a tenant with the contract's commerce, and a second tenant to show their isolation."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import create_engine, make_url
from sqlalchemy.dialects.postgresql import insert

from db.models import AttributeKey, Commerce, CommerceUser, Reason, Table
from db.sessions import connect_arguments
from embedded.demo_ids import COMMERCE_ID, OTHER_COMMERCE_ID, OTHER_TENANT_ID, TENANT_ID
from workflows.words import ContactType, Role

Row = tuple[type[Table], dict[str, Any]]


@dataclass(frozen=True)
class Person:
    """A commerce user; without a telephone number they can't be reached on any channel that needs a contact."""

    external_id: str
    name: str
    role: Role
    number: str | None


@dataclass(frozen=True)
class Store:
    """A commerce, the only one of its tenant."""

    tenant_id: UUID
    id: UUID
    name: str
    people: tuple[Person, ...]


STORES = (
    Store(
        tenant_id=TENANT_ID,
        id=COMMERCE_ID,
        name="Abarrotes La Esquina",
        people=(
            Person("maria", "María Hernández", Role.OWNER, "+525555550101"),
            Person("jorge", "Jorge Ramírez", Role.COMMERCE_REP, "+525555550102"),
            Person("lucia", "Lucía Torres", Role.ORDERS, None),
        ),
    ),
    Store(
        tenant_id=OTHER_TENANT_ID,
        id=OTHER_COMMERCE_ID,
        name="Farmacia del Centro",
        people=(Person("elena", "Elena Castro", Role.OWNER, "+525555550103"),),
    ),
)
REASONS = (
    ("monthly_promotion", "Promocion Mensual", ["Monthly promotion"]),
    ("payment_reminder", "Recordatorio de Pago", ["Payment reminder"]),
    ("order_follow_up", "Seguimiento de Pedido", ["Order follow-up"]),
    ("reactivation", "Reactivacion", ["Win back"]),
    ("store_visit", "Visita a la Tienda", ["Store visit"]),
)
ATTRIBUTE_KEYS = (
    ("commerce_info", "Commerce", "Name, tax id and address of the commerce."),
    ("promotions", "Promotions", "What is on offer this month."),
)


def load_demo_data(database_url: str, stores: Iterable[Store] = STORES) -> None:
    """Add the missing rows of these stores in one transaction; existing rows stay as they are, changed or not."""
    engine = create_engine(database_url, connect_args=connect_arguments(make_url(database_url)))
    with engine.begin() as connection:
        for table, row in _rows(stores):
            connection.execute(insert(table).values(row).on_conflict_do_nothing())
    engine.dispose()


def _rows(stores: Iterable[Store]) -> Iterator[Row]:
    """Yield every row; rows that others refer to come first."""
    for store in stores:
        yield from _store_rows(store)
        for code, label, aliases in REASONS:
            yield Reason, {"tenant_id": store.tenant_id, "code": code, "label": label, "aliases": aliases}
        for key, label, description in ATTRIBUTE_KEYS:
            yield AttributeKey, {"tenant_id": store.tenant_id, "key": key, "label": label, "description": description}


def _store_rows(store: Store) -> Iterator[Row]:
    """Yield a store with its address and its people."""
    address = {"street": "Av. Juárez 100", "city": "Ciudad de México", "country_code": "MX", "is_primary": True}
    row = {"tenant_id": store.tenant_id, "id": store.id, "external_id": "demo-1", "name": store.name}
    yield Commerce, row | {"tax_id": "DEMO010101AA1", "addresses": [address]}
    for person in store.people:
        row = {"tenant_id": store.tenant_id, "commerce_id": store.id, "external_id": person.external_id}
        yield CommerceUser, row | {"name": person.name, "roles": [person.role], "contacts": _contacts(person)}


def _contacts(person: Person) -> list[dict[str, Any]]:
    """Return the person's contacts for all channels, or none without a telephone number."""
    if person.number is None:
        return []
    email = f"{person.external_id}@example.com"
    ways = {ContactType.WHATSAPP: person.number, ContactType.PHONE: person.number, ContactType.EMAIL: email}
    return [{"contact_type": kind, "value": value, "is_primary": True} for kind, value in ways.items()]
