"""A null in a request equals absence, but in members that a PATCH declares clearable and inside of free JSON values."""

import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute
from pydantic import AliasChoices, BaseModel

from api.activities.bulk import BulkCancelCreate, BulkFilter, BulkRescheduleCreate, BulkRetryCreate
from api.activities.changes import ActivityPatch, CancelCreate, TargetAssignment
from api.activities.schemas import (
    LastContacted,
    LastContactedConfig,
    ProvidedAttributeCreate,
    RoleMatch,
    RoleMatchConfig,
    ScheduledActivityCreate,
)
from api.app import ROUTERS
from api.commerces.contact_log import ContactLogEntryPut
from api.commerces.schemas import (
    AddressCreate,
    CommerceUpdate,
    CommerceUserCreate,
    CommerceUserUpdate,
    ContactCreate,
    RoleCreate,
)
from api.commerces.sync import CommerceSyncItem, CommerceUserSync
from api.configuration.api_keys import ApiKeyCreate
from api.configuration.attribute_keys import AttributeKeyCreate, AttributeKeyUpdate
from api.configuration.attribute_policies import AttributePolicyUpsert
from api.configuration.bulk_settings import BulkSettingsUpdate
from api.configuration.catalogues import CatalogueEntryCreate, CatalogueEntryUpdate
from api.configuration.dispatch_settings import DispatchSettingsUpdate
from api.configuration.pause import PauseUpdate
from api.configuration.retention_settings import RetentionSettingsUpdate
from api.configuration.target_configs import TargetConfigCreate, TargetConfigUpdate
from api.configuration.task_result_types import TaskResultTypeUpdate
from api.executions.claims import ExecutionClaim
from api.executions.leases import LeaseExtension, LeaseRelease
from api.executions.schemas import ActivityResultCreate, TaskResultCreate
from api.http.bodies import body_model, parse
from api.http.errors import ValidationFailed
from api.http.fields import RequestBody
from tests.support.builders import COMMERCE_ID, contract_example
from tests.support.document import DOCUMENT
from workflows.messages import Fault

SCHEMAS = DOCUMENT["components"]["schemas"]
AN_ID = str(COMMERCE_ID)
LONG_AGO = "2025-01-16T09:00:00Z"
SHORTEST: dict[type[RequestBody], dict[str, Any]] = {
    ActivityPatch: {"scheduled_at": LONG_AGO},
    ActivityResultCreate: {"activity_id": AN_ID, "occurred_at": LONG_AGO, "status": "COMPLETED"},
    AddressCreate: {},
    ApiKeyCreate: {"name": "N", "permissions": ["VIEW_ACTIVITIES"]},
    AttributeKeyCreate: {"key": "k", "label": "L"},
    AttributeKeyUpdate: {},
    AttributePolicyUpsert: {"key": "k", "strategy": "UPFRONT", "resolver_type": "INTERNAL_SERVICE"},
    BulkCancelCreate: {"filter": {"channel": "SMS"}, "reason": "R"},
    BulkRetryCreate: {"filter": {"channel": "SMS"}, "reason": "R"},
    BulkFilter: {"channel": "SMS"},
    BulkSettingsUpdate: {"confirm_above": 1},
    BulkRescheduleCreate: {"filter": {"channel": "SMS"}, "reason": "R", "shift_seconds": 1},
    CancelCreate: {"reason": "R"},
    CatalogueEntryCreate: {"code": "c", "label": "L"},
    CatalogueEntryUpdate: {},
    CommerceSyncItem: {"external_id": "1", "name": "N"},
    CommerceUpdate: {},
    CommerceUserCreate: {},
    CommerceUserSync: {"external_id": "1"},
    CommerceUserUpdate: {},
    ContactCreate: {"contact_type": "OTHER", "value": "v"},
    ContactLogEntryPut: {"commerce_user_id": AN_ID, "channel": "SMS", "contacted_at": LONG_AGO},
    DispatchSettingsUpdate: {"max_attempts": 1},
    ExecutionClaim: {"channels": ["SMS"], "executor": "e"},
    LastContacted: {"type": "LAST_CONTACTED_ALL_CHANNELS"},
    LastContactedConfig: {},
    LeaseExtension: {},
    LeaseRelease: {},
    PauseUpdate: {"paused": False},
    ProvidedAttributeCreate: {"key": "k"},
    RoleCreate: {"role": "OWNER"},
    RoleMatch: {"type": "ROLE_MATCH", "config": {"role": "OWNER"}},
    RoleMatchConfig: {"role": "OWNER"},
    ScheduledActivityCreate: contract_example(),
    TargetAssignment: {"commerce_user_id": AN_ID},
    TargetConfigCreate: {"strategy": "ON_CREATION"},
    RetentionSettingsUpdate: {},
    TargetConfigUpdate: {},
    TaskResultCreate: {},
    TaskResultTypeUpdate: {"code": "c", "label": "L"},
}
"""A body of each model, with no more members than it needs."""


def request_models() -> set[type[RequestBody]]:
    """Every model of a request body, and those of its members."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    found: set[type[RequestBody]] = set()
    left: list[Any] = [body_model(route) for route in routes]
    while left:
        part = left.pop()
        left += get_args(part)
        if isinstance(part, type) and issubclass(part, RequestBody) and part not in found:
            found.add(part)
            left += [member.annotation for member in part.model_fields.values()]
    return found


MODELS = sorted(request_models(), key=lambda model: model.__name__)
LISTS = {"CommerceSync", "ContactLogPut", "ScheduledActivityBatch", "TaskResultTypesUpdate"}
"""Bodies that are nothing but a list, which is required."""


def optional_members() -> Iterator[tuple[type[RequestBody], str]]:
    """Yield each member that may be absent, by the names that it has in a request."""
    for model in MODELS:
        for name, member in model.model_fields.items():
            aliases = member.validation_alias
            names = aliases.choices if isinstance(aliases, AliasChoices) else (name,)
            if not member.is_required():
                yield from ((model, str(one)) for one in names)


def accepted(model: type[BaseModel], body: dict[str, Any]) -> BaseModel:
    return parse(model, json.dumps(body).encode())


def test_every_request_model_is_looked_at() -> None:
    assert {model.__name__ for model in MODELS} - LISTS == {model.__name__ for model in SHORTEST}
    for model, body in SHORTEST.items():
        assert accepted(model, body)


def outcome(model: type[BaseModel], body: dict[str, Any]) -> BaseModel | tuple[Fault, ...]:
    """The body as the model, or its faults."""
    try:
        return accepted(model, body)
    except ValidationFailed as refused:
        return refused.faults


@pytest.mark.parametrize(("model", "member"), list(optional_members()))
def test_null_equals_absence_unless_the_member_is_clearable(model: type[RequestBody], member: str) -> None:
    absent = {name: value for name, value in SHORTEST[model].items() if name != member}
    of_null, of_absence = outcome(model, absent | {member: None}), outcome(model, absent)
    assert of_null == of_absence
    if isinstance(of_null, RequestBody):
        assert (member in of_null.model_fields_set) is (member in model.clearable)


def test_a_null_clears_members_of_a_patch_alone() -> None:
    clearable = {model.__name__: set(model.clearable) for model in MODELS if model.clearable}
    assert clearable == {
        "ActivityPatch": {"score", "suggested_execution_time"},
        "AttributeKeyUpdate": {"description"},
        "CommerceUpdate": {"global_external_id", "tax_id"},
        "TargetConfigUpdate": {"channel", "type"},
    }


@pytest.mark.parametrize("model", MODELS)
def test_the_document_says_which_members_are_nullable(model: type[RequestBody]) -> None:
    members = SCHEMAS[model.__name__]["properties"]
    nullable = {name for name, schema in members.items() if {"type": "null"} in schema.get("anyOf", ())}
    assert nullable == model.clearable
    assert [name for name, schema in members.items() if schema.get("default", ...) is None] == []


@pytest.mark.parametrize("model", SHORTEST)
def test_an_unknown_member_is_refused_although_it_is_null(model: type[RequestBody]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        accepted(model, SHORTEST[model] | {"unheard_of": None})
    assert "/unheard_of" in {fault.pointer for fault in refused.value.faults}


def test_nulls_inside_of_free_values_are_kept() -> None:
    free = {"a": None, "b": [None, {"c": None}]}
    body = contract_example(attributes=[{"key": "k", "value": free, "fallback": free}])
    attribute = (ScheduledActivityCreate.model_validate(body).attributes or [])[0]
    assert (attribute.value, attribute.fallback) == (free, free)
    assert CommerceUpdate.model_validate({"metadata": free}).metadata == free
    result = {"activity_id": AN_ID, "occurred_at": LONG_AGO, "status": "COMPLETED", "raw_payload": free}
    parsed = parse(ActivityResultCreate, json.dumps(result | {"task_result": {"payload": free}}).encode())
    assert (parsed.raw_payload, parsed.task_result and parsed.task_result.payload) == (free, free)


def test_nulls_in_lists_are_refused() -> None:
    with pytest.raises(ValidationFailed):
        accepted(ScheduledActivityCreate, contract_example(attribute_keys=[None]))
