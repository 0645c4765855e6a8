"""In which fields a repeated request differs: what a 409 says must be neither more nor less than the truth."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.activities.duplicates import list_differences
from api.activities.schemas import ScheduledActivityCreate
from api.http.bodies import parse
from tests.support.builders import contract_example
from tests.support.messages import JSON, any_message
from workflows.display import contract_time
from workflows.messages import ProvidedAttribute, ScheduledActivityRequest


def request(**changes: Any) -> ScheduledActivityRequest:
    """A request as it was accepted."""
    body = contract_example(idempotency_key="k") | changes
    return parse(ScheduledActivityCreate, json.dumps(body).encode()).as_request()


@settings(max_examples=50)
@given(any_message(ScheduledActivityRequest))
def test_a_request_never_differs_from_itself(sent: ScheduledActivityRequest) -> None:
    assert list_differences(sent, sent) == []


@settings(max_examples=200)
@given(any_message(ScheduledActivityRequest), any_message(ScheduledActivityRequest))
def test_there_are_differences_exactly_when_the_requests_are_not_equal(
    stored: ScheduledActivityRequest, sent: ScheduledActivityRequest
) -> None:
    assert bool(list_differences(stored, sent)) is (_comparable(stored) != _comparable(sent))


def _comparable(request: ScheduledActivityRequest) -> dict[str, Any]:
    keys = request.attribute_keys
    return request.model_dump(mode="json") | {"attribute_keys": keys and list(dict.fromkeys(keys))}


@settings(max_examples=100)
@given(any_message(ScheduledActivityRequest), any_message(ScheduledActivityRequest))
def test_a_difference_says_what_both_have_at_its_pointer(
    stored: ScheduledActivityRequest, sent: ScheduledActivityRequest
) -> None:
    for found in list_differences(stored, sent):
        assert found.stored == _at(_answered(stored), found.pointer)
        assert found.sent == _at(_answered(sent), found.pointer)


def _answered(request: ScheduledActivityRequest) -> dict[str, Any]:
    """The request as answers show it: times as the contract writes them."""
    times = {"scheduled_at": request.scheduled_at, "suggested_execution_time": request.suggested_execution_time}
    return request.model_dump(mode="json") | {name: time and contract_time(time) for name, time in times.items()}


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        document = document[int(name)] if isinstance(document, list) else document.get(name)
    return document


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ({"scheduled_at": "2025-01-16T09:00:00Z"}, {"scheduled_at": "2025-01-16T06:00:00.0009-03:00"}),
        ({"score": None}, {}),
        ({"attributes": [{"key": "a", "value": None}]}, {"attributes": [{"key": "a"}]}),
        ({"commerce_id": "880E8400-E29B-41D4-A716-446655440000"}, {}),
        (
            {"target_criteria": [{"type": "LAST_CONTACTED_SAME_CHANNEL"}]},
            {"target_criteria": [{"type": "LAST_CONTACTED_SAME_CHANNEL", "config": {}, "priority": 0}]},
        ),
        ({"attribute_keys": ["a", "b", "a"]}, {"attribute_keys": ["a", "b"]}),
        (
            {"attributes": [{"key": "a", "value": {"x": 1, "y": 2}}]},
            {"attributes": [{"key": "a", "value": {"y": 2, "x": 1}}]},
        ),
        ({"attributes": [{"key": "a", "value": 1}]}, {"attributes": [{"key": "a", "value": 1.0}]}),
    ],
)
def test_two_spellings_of_one_request_do_not_differ(stored: dict[str, Any], sent: dict[str, Any]) -> None:
    assert list_differences(request(**stored), request(**sent)) == []


@pytest.mark.parametrize(
    ("stored", "sent", "pointer"),
    [
        ({}, {"type": "TASK"}, "/type"),
        ({}, {"reason": "monthly promotion"}, "/reason"),
        ({}, {"scheduled_at": "2025-01-16T09:00:00.001Z"}, "/scheduled_at"),
        ({}, {"attribute_keys": None}, "/attribute_keys"),
        ({}, {"attribute_keys": []}, "/attribute_keys"),
        ({"attribute_keys": ["a", "b"]}, {"attribute_keys": ["b", "a"]}, "/attribute_keys/0"),
        ({"target_criteria": []}, {}, "/target_criteria"),
        (
            {"attributes": [{"key": "a", "value": {"x/y": [1, 2]}}]},
            {"attributes": [{"key": "a", "value": {"x/y": [1, 3]}}]},
            "/attributes/0/value/x~1y/1",
        ),
        (
            {"attributes": [{"key": "a", "value": True}]},
            {"attributes": [{"key": "a", "value": 1}]},
            "/attributes/0/value",
        ),
        ({"attributes": [{"key": "a", "value": 0}]}, {"attributes": [{"key": "a"}]}, "/attributes/0/value"),
        (
            {"attributes": [{"key": "a", "value": {"x": None}}]},
            {"attributes": [{"key": "a", "value": None}]},
            "/attributes/0/value",
        ),
        (
            {"attributes": [{"key": "a", "value": [{"x": None}]}]},
            {"attributes": [{"key": "a", "value": [{}]}]},
            "/attributes/0/value/0",
        ),
    ],
)
def test_a_difference_is_reported_at_its_place(stored: dict[str, Any], sent: dict[str, Any], pointer: str) -> None:
    assert list_differences(request(**stored), request(**sent))[0].pointer == pointer


@settings(max_examples=100)
@given(st.lists(JSON, max_size=3))
def test_what_json_in_postgresql_does_to_a_number_is_no_difference(values: list[Any]) -> None:
    """JSONB keeps numbers as decimals: 1e23 comes back as an integer, 1.0 as 1.0, -0.0 as zero."""
    sent = request(attribute_keys=None).model_copy(
        update={"attributes": tuple(ProvidedAttribute(key=str(n), value=value) for n, value in enumerate(values))}
    )
    stored = ScheduledActivityRequest.model_validate(_as_decimals(sent.model_dump(mode="json")))
    assert list_differences(stored, sent) == []


def _as_decimals(value: Any) -> Any:
    """Parse as psycopg parses a JSONB column: a number without fraction and exponent is an integer."""
    if isinstance(value, dict):
        return {key: _as_decimals(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_decimals(inner) for inner in value]
    if isinstance(value, float) and abs(value) >= 1e16:
        return int(f"{Decimal(repr(value)):f}")
    return value
