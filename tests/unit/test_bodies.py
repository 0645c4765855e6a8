"""Test which bodies are accepted, and the pointers of their faults."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from api.activities.schemas import ScheduledActivityCreate
from api.commerces.contact_log import ContactLogEntryPut, ContactLogPut
from api.http.bodies import _STEP, BODY_BYTES, DEPTH, _may_be_unstorable, check_each, find_unstorable, parse
from api.http.errors import ValidationFailed
from tests.support.builders import contract_example
from workflows.display import contract_time

KEY = "msg-1"
AN_ATTRIBUTE = {"key": "promotions"}
A_ROLE = {"type": "ROLE_MATCH", "config": {"role": "OWNER"}}
A_CONTACT = {"type": "LAST_CONTACTED_SAME_CHANNEL"}


def body(**changes: Any) -> dict[str, Any]:
    """The contract's example, changed."""
    return contract_example(idempotency_key=KEY) | changes


def accepted(document: dict[str, Any] | str) -> ScheduledActivityCreate:
    """The body as the API takes it."""
    text = document if isinstance(document, str) else json.dumps(document)
    return parse(ScheduledActivityCreate, text.encode("utf-8", "surrogatepass"))


def faults(document: dict[str, Any] | str) -> dict[str, str]:
    """Return the detail of each fault by its pointer."""
    with pytest.raises(ValidationFailed) as refused:
        accepted(document)
    return {fault.pointer: fault.detail for fault in refused.value.faults}


def nested(depth: int) -> Any:
    """A list in a list, and so on."""
    return [] if depth <= 1 else [nested(depth - 1)]


def with_value(value: Any) -> dict[str, Any]:
    """A body whose only odd part is the value of an attribute."""
    return body(attributes=[AN_ATTRIBUTE | {"value": value}])


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a type in lower case", {"type": "message"}, "/type"),
    ("a type of another kind", {"type": 1}, "/type"),
    ("no type", {"type": None}, "/type"),
    ("an unknown channel", {"channel": "FAX"}, "/channel"),
    ("an empty reason", {"reason": ""}, "/reason"),
    ("a blank reason", {"reason": " \t "}, "/reason"),
    ("a reason that is a number", {"reason": 5}, "/reason"),
    ("a reason of 1,001 characters", {"reason": "x" * 1001}, "/reason"),
    ("a reason with NUL", {"reason": "a\0b"}, "/reason"),
    ("half a surrogate pair", {"reason": "\ud83d"}, "/reason"),
    ("a commerce that is no UUID", {"commerce_id": "store-1"}, "/commerce_id"),
    ("a commerce that is a number", {"commerce_id": 5}, "/commerce_id"),
    ("an empty key", {"idempotency_key": ""}, "/idempotency_key"),
    ("a key of 201 characters", {"idempotency_key": "k" * 201}, "/idempotency_key"),
    ("a key with a space before it", {"idempotency_key": " k"}, "/idempotency_key"),
    ("a key with a space after it", {"idempotency_key": "k\u2003"}, "/idempotency_key"),
    ("a key with a line break", {"idempotency_key": "a\nb"}, "/idempotency_key"),
    ("a key with a C1 control", {"idempotency_key": "a\x85b"}, "/idempotency_key"),
    ("a key that is a number", {"idempotency_key": 5}, "/idempotency_key"),
    ("a naive time", {"scheduled_at": "2025-01-16T09:00:00"}, "/scheduled_at"),
    ("a date", {"scheduled_at": "2025-01-16"}, "/scheduled_at"),
    ("a time as a number", {"scheduled_at": 1737018000}, "/scheduled_at"),
    ("a time as digits", {"scheduled_at": "1737018000"}, "/scheduled_at"),
    ("a time of week", {"scheduled_at": "2025-W03-4T09:00:00Z"}, "/scheduled_at"),
    ("a 13th month", {"scheduled_at": "2025-13-16T09:00:00Z"}, "/scheduled_at"),
    ("an hour 24", {"scheduled_at": "2025-01-16T25:00:00Z"}, "/scheduled_at"),
    ("an offset of a day", {"scheduled_at": "2025-01-16T09:00:00+24:00"}, "/scheduled_at"),
    ("an offset with 60 minutes", {"scheduled_at": "2025-01-16T09:00:00+05:60"}, "/scheduled_at"),
    ("no time", {"scheduled_at": None}, "/scheduled_at"),
    ("the year 1", {"scheduled_at": "0001-01-01T00:00:00Z"}, "/scheduled_at"),
    ("before the year 1 in UTC", {"scheduled_at": "0001-01-01T00:00:00+14:00"}, "/scheduled_at"),
    ("after the year 9999 in UTC", {"scheduled_at": "9999-12-31T23:59:59-14:00"}, "/scheduled_at"),
    ("11 years ahead", {"scheduled_at": (datetime.now(UTC) + timedelta(days=11 * 366)).isoformat()}, "/scheduled_at"),
    ("a naive hint", {"suggested_execution_time": "2025-01-16T09:00:00"}, "/suggested_execution_time"),
    ("an empty user status", {"user_status": ""}, "/user_status"),
    ("a score as text", {"score": "5"}, "/score"),
    ("a score as a truth value", {"score": True}, "/score"),
    ("a score with a fraction", {"score": 5.5}, "/score"),
    ("a score with an empty fraction", {"score": 5.0}, "/score"),
    ("a score above 31 bits", {"score": 2**31}, "/score"),
    ("a score below 31 bits", {"score": -(2**31) - 1}, "/score"),
    ("a score of 40 digits", {"score": 10**40}, "/score"),
    ("an assignment reason that is a list", {"assignment_reason": ["x"]}, "/assignment_reason"),
    ("criteria that are no list", {"target_criteria": A_ROLE}, "/target_criteria"),
    ("101 criteria", {"target_criteria": [A_CONTACT] * 101}, "/target_criteria"),
    ("a criterion without a type", {"target_criteria": [A_CONTACT, {}]}, "/target_criteria/1/type"),
    ("an unknown criterion", {"target_criteria": [{"type": "BEST"}]}, "/target_criteria/0/type"),
    ("a criterion that is text", {"target_criteria": ["ROLE_MATCH"]}, "/target_criteria/0"),
    ("a role match without config", {"target_criteria": [{"type": "ROLE_MATCH"}]}, "/target_criteria/0/config"),
    (
        "a role match without role",
        {"target_criteria": [{"type": "ROLE_MATCH", "config": {}}]},
        "/target_criteria/0/config/role",
    ),
    (
        "an unknown role",
        {"target_criteria": [A_CONTACT, {"type": "ROLE_MATCH", "config": {"role": "BOSS"}}]},
        "/target_criteria/1/config/role",
    ),
    (
        "an unknown member of a config",
        {"target_criteria": [A_CONTACT | {"config": {"days": 3}}]},
        "/target_criteria/0/config/days",
    ),
    (
        "days as text",
        {"target_criteria": [A_CONTACT | {"config": {"within_days": "3"}}]},
        "/target_criteria/0/config/within_days",
    ),
    ("a priority as text", {"target_criteria": [A_CONTACT | {"priority": "1"}]}, "/target_criteria/0/priority"),
    ("an unknown member of a criterion", {"target_criteria": [A_ROLE | {"x/y~z": 1}]}, "/target_criteria/0/x~1y~0z"),
    ("an unknown null in a criterion", {"target_criteria": [A_ROLE | {"x": None}]}, "/target_criteria/0/x"),
    ("a key that is no text", {"attribute_keys": ["a", 1]}, "/attribute_keys/1"),
    ("a blank attribute key", {"attribute_keys": [" "]}, "/attribute_keys/0"),
    ("101 attribute keys", {"attribute_keys": [f"k{number}" for number in range(101)]}, "/attribute_keys"),
    ("an attribute without key", {"attributes": [{"value": 1}]}, "/attributes/0/key"),
    ("the same attribute twice", {"attributes": [AN_ATTRIBUTE, AN_ATTRIBUTE]}, "/attributes"),
    ("an unknown member of an attribute", {"attributes": [AN_ATTRIBUTE | {"values": 1}]}, "/attributes/0/values"),
    ("101 attributes", {"attributes": [{"key": f"k{number}"} for number in range(101)]}, "/attributes"),
    ("NUL deep in a value", with_value({"a": ["b", "c\0"]}), "/attributes/0/value/a/1"),
    ("NUL in a member's name", with_value({"a\0": 1}), "/attributes/0/value"),
    (
        "half a surrogate pair in a fallback",
        {"attributes": [AN_ATTRIBUTE | {"fallback": "\udc00"}]},
        "/attributes/0/fallback",
    ),
    ("a value that ends nowhere", with_value("x" * 1001), "/attributes/0/value"),
    ("a value with 101 items", with_value([0] * 101), "/attributes/0/value"),
    ("an unknown field", {"prioridad": 1}, "/prioridad"),
    ("a field of the answer", {"scheduledAt": "2025-01-16T09:00:00Z"}, "/scheduledAt"),
]


@pytest.mark.parametrize(("changes", "pointer"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_the_contract_does_not_allow_is_refused_at_its_place(changes: dict[str, Any], pointer: str) -> None:
    assert list(faults(body(**changes))) == [pointer]


@pytest.mark.parametrize("field", ["type", "reason", "channel", "commerce_id", "idempotency_key", "scheduled_at"])
def test_a_required_field_that_is_missing_is_named(field: str) -> None:
    document = {name: value for name, value in body().items() if name != field}
    assert faults(document) == {f"/{field}": "This field is required."}


def test_all_faults_are_reported_at_once() -> None:
    wrong = faults({"type": "CALL", "channel": 1, "score": "5", "extra": 1, "scheduled_at": "2025-01-16T09:00:00"})
    places = {"/type", "/channel", "/score", "/extra", "/scheduled_at", "/reason", "/commerce_id", "/idempotency_key"}
    assert set(wrong) == places


def test_of_very_many_faults_the_first_hundred_are_reported() -> None:
    with pytest.raises(ValidationFailed, match="100 fields or more are wrong") as refused:
        accepted(body(**{f"no_such_field_{number}": 1 for number in range(20_000)}))
    assert len(refused.value.faults) == 100


@pytest.mark.parametrize("text", ["", "{", "nonsense", '{"a":}', "\ufeff{}", '{"a": "\\ud83d"}x', "[" * 5000])
def test_what_is_no_json_is_refused_as_a_whole(text: str) -> None:
    assert faults(text) == {}


def test_a_member_that_is_named_twice_is_refused_by_its_name() -> None:
    with pytest.raises(ValidationFailed, match="names 'type' 2 times"):
        accepted('{"type": "TASK", "type": "MESSAGE"}')
    with pytest.raises(ValidationFailed, match="names 'a' 3 times"):
        accepted(json.dumps(with_value("HERE")).replace('"HERE"', '[{"a": {}, "a": 1, "a": 2}]'))


@pytest.mark.parametrize("text", ["null", "[]", '"text"', "5", "true"])
def test_a_body_that_is_no_object_is_refused_as_a_whole(text: str) -> None:
    assert list(faults(text)) == [""]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_a_number_without_end_is_refused(number: str) -> None:
    text = json.dumps(with_value("HERE")).replace('"HERE"', f"[{number}]")
    assert set(faults(text)) <= {"/attributes/0/value/0"}


def test_nesting_is_refused_beyond_twenty_levels_and_not_before() -> None:
    """The value sits in the body, in a list, in an object: three levels are used up."""
    assert accepted(with_value(nested(17)))
    (pointer,) = faults(with_value(nested(18)))
    assert pointer.startswith("/attributes/0/value/0/0")
    assert faults(with_value(nested(150)))


@pytest.mark.parametrize("digits", [39, 400, 4000, 4301, 20_000])
def test_a_number_of_any_length_is_either_refused_or_can_be_sent_on(digits: int) -> None:
    text = json.dumps(with_value("HERE")).replace('"HERE"', "9" * digits)
    try:
        taken = accepted(text)
    except ValidationFailed:
        return
    assert json.loads(taken.as_request().model_dump_json())["attributes"][0]["value"] == int("9" * digits)


@pytest.mark.parametrize("number", ["1e309", "1E+309", "-1e0309", "9" * 309 + ".0", "9" * 250 + "e99", "1.5e999"])
def test_a_number_that_no_float_can_hold_is_refused_by_its_place(number: str) -> None:
    text = json.dumps(with_value("HERE")).replace('"HERE"', f"[{number}]")
    assert list(faults(text)) == ["/attributes/0/value/0"]


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.floats() | st.text(st.characters(codec=None, categories=None), max_size=3),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
        max_leaves=30,
    )
)
def test_the_first_look_passes_over_no_fault(document: Any) -> None:
    text = json.dumps(document, allow_nan=True)
    for wrapped in (text, "[" * DEPTH + text + "]" * DEPTH):
        with suppress(ValueError):
            if not _may_be_unstorable(wrapped.encode(), data := from_json(wrapped, allow_inf_nan=False)):
                assert list(find_unstorable(data)) == []


WRITTEN_OUT = [
    ("1e308", 309),
    ("-1E+300", 302),
    ("1.5e300", 301),
    ("1e-300", 302),
    ("1.25e-10", 14),
    ("1e15", 18),
    ("5e-324", 326),
]


@pytest.mark.parametrize(("number", "length"), WRITTEN_OUT)
def test_a_body_is_measured_with_its_numbers_written_out(number: str, length: int) -> None:
    """As PostgreSQL writes them: to the byte, whatever else the body holds."""
    around = json.dumps(with_value({"a": ["HERE"] * 10, "b": 12345, "c": 0.001})).replace('"HERE"', number)
    length_of_all = len(around) + 10 * (length - len(number))
    longest = around + " " * (BODY_BYTES - length_of_all)
    assert accepted(longest)
    said = faults(longest + " ")
    assert list(said) == [""]
    assert f"this has {BODY_BYTES + 1:,} bytes; at most {BODY_BYTES:,} are allowed" in said[""]


def test_a_long_body_without_exponents_is_not_measured_twice() -> None:
    """The length of a body is checked where it is read."""
    assert accepted(json.dumps(with_value([0.001, 10**300])) + " " * BODY_BYTES)


def test_many_numbers_that_are_long_written_out_are_refused() -> None:
    many = json.dumps(with_value([["HERE"] * 100] * 100)).replace('"HERE"', "1e308")
    assert len(many) < BODY_BYTES
    assert list(faults(many)) == [""]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("2025-01-16T09:00:00.000Z", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16t09:00:00z", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16 09:00:00+00:00", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16T06:00:00-03:00", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16T09:00:00.123999Z", "2025-01-16T09:00:00.123Z"),
        ("2025-01-16T09:00:00.9999999999Z", "2025-01-16T09:00:00.999Z"),
        ("2025-01-16T09:00:00.1Z", "2025-01-16T09:00:00.100Z"),
        ("2025-01-17T00:00:00+14:00", "2025-01-16T10:00:00.000Z"),
        ("2025-01-16T09:00Z", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16T06:00:00-0300", "2025-01-16T09:00:00.000Z"),
        ("2025-01-16T06:00-03", "2025-01-16T09:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_kept_in_utc_and_cut_to_milliseconds(sent: str, kept: str) -> None:
    assert contract_time(accepted(body(scheduled_at=sent)).scheduled_at) == kept


OPTIONAL = [name for name, field in ScheduledActivityCreate.model_fields.items() if not field.is_required()]


@pytest.mark.parametrize("field", OPTIONAL)
def test_null_in_an_optional_field_is_the_same_as_its_absence(field: str) -> None:
    absent = {name: value for name, value in body().items() if name != field}
    assert accepted(absent | {field: None}) == accepted(absent)


def test_null_in_an_optional_field_of_a_criterion_is_the_same_as_its_absence() -> None:
    told = accepted(body(target_criteria=[A_CONTACT | {"config": None, "priority": None}, A_ROLE | {"priority": None}]))
    assert told == accepted(body(target_criteria=[A_CONTACT, A_ROLE]))


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"target_criteria": [{}]}, "/target_criteria/0/type", "This field is required."),
        ({"target_criteria": [A_CONTACT | {"type": "BEST"}]}, "/target_criteria/0/type", "Input should be one of "),
        ({"scheduled_at": "2025-01-16"}, "/scheduled_at", "This must be an ISO 8601 time with an offset, "),
        ({"reason": "a\0b"}, "/reason", "This contains the character NUL, which can't be stored."),
        ({"attributes": [AN_ATTRIBUTE] * 2}, "/attributes", "This must name every key once."),
    ],
)
def test_a_fault_is_a_sentence_without_the_words_of_a_library(changes: dict[str, Any], pointer: str, said: str) -> None:
    assert faults(body(**changes))[pointer].startswith(said)


def test_what_a_body_leaves_out_has_the_documented_defaults() -> None:
    request = accepted(body(target_criteria=[A_CONTACT], attributes=[AN_ATTRIBUTE])).as_request()
    assert request.target_criteria is not None
    assert request.attributes is not None
    assert request.target_criteria[0].priority == 0
    assert request.target_criteria[0].config.get("within_days") is None
    assert (request.attributes[0].value, request.attributes[0].fallback) == (None, None)


@pytest.mark.parametrize("key", ["a", "k" * 200, "clave única ✓", "a/b?c#d", "sha256:x", "\u00e9", "e\u0301", "a  b"])
def test_a_key_is_kept_byte_for_byte(key: str) -> None:
    assert accepted(body(idempotency_key=key)).idempotency_key == key


def test_the_bounds_themselves_are_allowed() -> None:
    longest = body(
        reason="r" * 1000,
        score=2**31 - 1,
        target_criteria=[A_CONTACT] * 100,
        attribute_keys=[f"k{number}" for number in range(100)],
        attributes=[{"key": f"k{number}", "value": "x" * 1000} for number in range(100)],
        scheduled_at=(datetime.now(UTC) + timedelta(days=3652, hours=23)).isoformat(),
    )
    assert accepted(longest)
    assert accepted(body(score=-(2**31), target_criteria=[]))
    assert accepted(with_value({f"k{number}": number for number in range(101)}))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ScheduledActivityCreate.model_fields, ANYTHING)) | ANYTHING)
def test_whatever_is_sent_is_taken_or_refused_with_pointers_into_what_was_sent(document: Any) -> None:
    text = json.dumps(document)
    try:
        accepted(text)
    except ValidationFailed as refused:
        for fault in refused.faults:
            assert _reaches(json.loads(text), fault.pointer), fault


def test_a_fault_can_be_reported_even_where_a_name_holds_what_utf_8_can_not() -> None:
    (pointer,) = faults('{"\\ud83d": ["\\u0000"]}').keys() - {""}
    assert pointer.encode() == b"/\\ud83d/0"


def _reaches(document: Any, pointer: str) -> bool:
    """Return True if the pointer leads to an existing value, or to a member that may be added."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parts[:-1]:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return not parts or isinstance(document, dict | list)


@pytest.mark.parametrize(
    "suspicious", [b"\\u0000", b"1e999", b"Infinity", b"9" * 200], ids=["NUL", "e", "name", "digits"]
)
def test_what_may_be_unstorable_is_found_wherever_a_long_text_is_cut(suspicious: bytes) -> None:
    for offset in (*range(-len(suspicious) - 1, 2), *range(-258, -254)):
        content = b" " * (2 * _STEP + offset) + suspicious + b" " * _STEP
        assert _may_be_unstorable(content, None), offset
    assert not _may_be_unstorable(b" " * (3 * _STEP), None)


def test_items_that_are_checked_one_by_one_have_the_faults_of_the_whole_list() -> None:
    entry = {"user_external_id": "u", "channel": "EMAIL", "contacted_at": "2024-01-01T00:00:00Z"}
    items = [entry, entry | {"channel": "X"}, entry | {"unknown": 1, "commerce_user_id": "x"}, 5, entry]
    valid, faults = check_each(ContactLogEntryPut, items, "/entries")
    with pytest.raises(ValidationFailed) as whole:
        parse(ContactLogPut, json.dumps({"entries": items}).encode())
    assert (len(valid), tuple(faults)) == (2, whole.value.faults)
    _, first = check_each(ContactLogEntryPut, [entry | {"channel": "X"}] * 10, "/entries", 3)
    assert [fault.pointer for fault in first] == [f"/entries/{number}/channel" for number in range(3)]
