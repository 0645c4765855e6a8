"""Identifiers keep nothing invisible at their ends, wherever one is taken."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from api.activities.schemas import ScheduledActivityCreate
from api.commerces.contact_log import ContactLogEntryPut
from api.commerces.schemas import AddressCreate, CommerceUpdate, CommerceUserCreate, ContactCreate
from api.commerces.sync import CommerceSyncItem, CommerceUserSync
from api.configuration.attribute_keys import AttributeKeyCreate
from api.configuration.catalogues import CatalogueEntryCreate
from api.configuration.task_result_types import TaskResultTypeUpdate
from api.executions.claims import ExecutionClaim
from api.executions.schemas import ActivityResultCreate, TaskResultCreate
from api.http.bodies import parse
from api.http.errors import ValidationFailed
from tests.support.builders import contract_example

INVISIBLE = ["\r", "\n", "\t", " ", "\0", "\x7f", "\x85", "\u00a0", "\u2003", "\u2028", "\u3000"]
INVISIBLE += [
    "\u00ad",
    "\u061c",
    "\u180e",
    "\u200b",
    "\u200d",
    "\u200e",
    "\u2060",
    "\ufeff",
    "\u115f",
    "\u2800",
    "\u3164",
]
INVISIBLE += ["\u034f", "\u17b4", "\u180b", "\u2065", "\ufe0f", "\ufff0", "\U000e0001", "\U000e0101"]
CLAIM = {"channels": ["SMS"]}
RESULT = {"occurred_at": "2025-01-16T09:00:00Z", "status": "COMPLETED"}
ACTIVITY_ID = "880e8400-e29b-41d4-a716-446655440000"
CONTACTED = {"channel": "SMS", "contacted_at": "2025-01-16T09:00:00Z"}

PLACES: list[tuple[type[BaseModel], str, dict[str, Any]]] = [
    (CommerceSyncItem, "external_id", {"name": "N"}),
    (CommerceSyncItem, "global_external_id", {"external_id": "1", "name": "N"}),
    (CommerceSyncItem, "tax_id", {"external_id": "1", "name": "N"}),
    (CommerceUserSync, "external_id", {}),
    (CommerceUpdate, "global_external_id", {}),
    (CommerceUpdate, "tax_id", {}),
    (CommerceUserCreate, "external_id", {}),
    (AddressCreate, "source_ref", {}),
    (ContactCreate, "value", {"contact_type": "OTHER"}),
    (ContactLogEntryPut, "user_external_id", CONTACTED),
    (ScheduledActivityCreate, "idempotency_key", contract_example()),
    (CatalogueEntryCreate, "code", {"label": "L"}),
    (AttributeKeyCreate, "key", {"label": "L"}),
    (TaskResultTypeUpdate, "code", {"label": "L"}),
    (ExecutionClaim, "executor", CLAIM),
    (ActivityResultCreate, "provider_activity_id", RESULT),
    (ActivityResultCreate, "commerce_external_id", RESULT | {"activity_id": ACTIVITY_ID}),
    (TaskResultCreate, "operator_external_id", {}),
]


@pytest.mark.parametrize("invisible", INVISIBLE, ids=ascii)
@pytest.mark.parametrize(("model", "member", "others"), PLACES)
def test_an_identifier_has_nothing_invisible_at_its_ends(
    model: type[BaseModel], member: str, others: dict[str, Any], invisible: str
) -> None:
    assert parse(model, json.dumps(others | {member: "store-1"}).encode())
    for widened in (f"store-1{invisible}", f"{invisible}store-1", invisible):
        with pytest.raises(ValidationFailed) as refused:
            parse(model, json.dumps(others | {member: widened}).encode())
        assert {fault.pointer for fault in refused.value.faults} == {f"/{member}"}


@pytest.mark.parametrize(
    "name", ["a b", "tienda nº 5 ✔\ufe0f", "辻\U000e0101", "1\ufe0f\u20e3", "क्\u200dष", "e\u0301", "店\u3000一"]
)
def test_what_is_visible_or_inside_of_an_identifier_is_kept(name: str) -> None:
    body = {"external_id": name, "name": "N"}
    assert parse(CommerceSyncItem, json.dumps(body).encode()).external_id == name


@pytest.mark.parametrize("text", ["\u200b", " \u200b\u00a0", "\ufeff", "\u3164", "\u2800 ", "\ufe0f\u034f"])
def test_a_text_that_shows_nothing_is_blank(text: str) -> None:
    with pytest.raises(ValidationFailed, match="One field is wrong") as refused:
        parse(ScheduledActivityCreate, json.dumps(contract_example(reason=text)).encode())
    assert refused.value.faults[0].detail == "This must not be blank."


@pytest.mark.parametrize(("model", "member", "others"), PLACES)
def test_the_length_of_an_identifier_is_counted_in_characters(
    model: type[BaseModel], member: str, others: dict[str, Any]
) -> None:
    with pytest.raises(ValidationFailed) as refused:  # noqa: PT012 - the first length beyond the limit is refused
        for length in (201, 321, 1001):
            parse(model, json.dumps(others | {member: "k" * length}).encode())
    (fault,) = refused.value.faults
    assert fault.detail.startswith("String should have at most ")
