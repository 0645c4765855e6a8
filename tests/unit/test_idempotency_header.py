"""Test the header `Idempotency-Key`: bare keys, strings of RFC 9651, and all that is neither."""

import pytest

from api.activities.idempotency import parse_key
from api.http.errors import ValidationFailed


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("order-7", "order-7"),
        ('"order-7"', "order-7"),
        (r'"a \"b\" \\c"', r'a "b" \c'),
        ('order "7"', 'order "7"'),
        ("año".encode().decode("latin-1"), "año"),
    ],
)
def test_a_key_is_read_as_it_is_or_as_a_string(sent: str, key: str) -> None:
    assert parse_key(sent) == key


@pytest.mark.parametrize("sent", ["", '""', '"', '"open', '"a"b', r'"a\b"', '"a";p=1', "\xff"])
def test_what_is_neither_is_rejected_and_named(sent: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_key(sent)
    assert [fault.pointer for fault in refused.value.faults] == ["/header/idempotency-key"]
