"""Test the key ring and the encryption of payloads."""

import os
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError

from runs.encryption import NONCE, NONCE_BYTES, Encryption
from runs.key_ring import KEY_BYTES, KeyRing
from runs.payloads import KEY_ID, UnreadablePayloadError, build_data_converter, find_payloads, read_key_id
from settings import EncryptionSettings
from tests.support.encryption import BOTH_KEYS, BOTH_RING, NEW_KEY, NEW_RING, OLD_RING

PLAIN = Payload(metadata={"encoding": b"json/plain"}, data=b'"Monthly promotion"')
KEY = b64encode(bytes(KEY_BYTES)).decode()


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    of_old, of_new = Encryption(OLD_RING).encrypt(PLAIN), Encryption(BOTH_RING).encrypt(PLAIN)
    assert (read_key_id(of_old), read_key_id(of_new)) == ("old1", "new2")
    assert [Encryption(BOTH_RING).decrypt(one) for one in (of_old, of_new)] == [PLAIN, PLAIN]


@given(
    metadata=st.dictionaries(st.text(max_size=20), st.binary(max_size=50), max_size=4), data=st.binary(max_size=2000)
)
async def test_every_payload_is_the_same_after_both_ways(metadata: dict[str, bytes], data: bytes) -> None:
    sent = Payload(metadata=metadata, data=data)
    codec = Encryption(NEW_RING)
    (encrypted,) = await codec.encode([sent])
    assert set(encrypted.metadata) == {"encoding", KEY_ID, NONCE}
    assert len(encrypted.metadata[NONCE]) == NONCE_BYTES
    assert await codec.decode([encrypted]) == [sent]


def test_no_two_payloads_are_encrypted_alike() -> None:
    codec = Encryption(NEW_RING)
    assert codec.encrypt(PLAIN).data != codec.encrypt(PLAIN).data


@pytest.mark.parametrize("encoding", [b"json/plain", b"binary/null", b"binary/encrypted2", b""])
async def test_a_payload_of_another_encoding_passes_unchanged(encoding: bytes) -> None:
    payload = Payload(metadata={"encoding": encoding, KEY_ID: b"new2"}, data=b"{}")
    assert await Encryption(NEW_RING).decode([payload]) == [payload]


def test_a_missing_key_is_named() -> None:
    with pytest.raises(UnreadablePayloadError, match="PAYLOAD_ENCRYPTION_KEYS lacks the key 'old1'"):
        Encryption(NEW_RING).decrypt(Encryption(OLD_RING).encrypt(PLAIN))


def encrypted(**changes: bytes) -> Payload:
    """Return an encrypted payload with other metadata or data."""
    payload = Encryption(NEW_RING).encrypt(PLAIN)
    data = changes.pop("data", payload.data)
    return Payload(metadata={**payload.metadata, **changes}, data=data)


@pytest.mark.parametrize(
    "payload",
    [
        encrypted(data=Encryption(NEW_RING).encrypt(PLAIN).data),
        encrypted(data=b""),
        encrypted(**{NONCE: os.urandom(NONCE_BYTES)}),
        encrypted(**{NONCE: b"short"}),
        encrypted(**{NONCE: b""}),
        Encryption(KeyRing.parse(f"new2:{KEY}")).encrypt(PLAIN),
    ],
    ids=["of another nonce", "no data", "nonce", "short nonce", "no nonce", "another key of this id"],
)
def test_a_changed_payload_is_unreadable(payload: Payload) -> None:
    with pytest.raises(UnreadablePayloadError, match="'new2'"):
        Encryption(NEW_RING).decrypt(payload)


async def test_the_message_and_the_stack_trace_of_a_failure_are_encrypted_with_its_causes() -> None:
    converter = build_data_converter(NEW_RING)
    failure = Failure()
    try:
        try:
            raise ValueError("Tienda Uno")  # noqa: TRY301 - the text is looked for
        except ValueError as inner:
            raise ApplicationError("Monthly promotion", {"reason": "Name of OWNER"}, type="Rejected") from inner
    except ApplicationError as raised:
        await converter.encode_failure(raised, failure)
    stored = failure.SerializeToString()
    for secret in (b"Tienda Uno", b"Monthly promotion", b"Name of OWNER", b"test_encryption.py"):
        assert secret not in stored
    assert {read_key_id(payload) for payload in find_payloads(failure)} == {"new2"}
    read = await converter.decode_failure(failure)
    assert isinstance(read, ApplicationError)
    assert (read.message, read.type, read.details) == ("Monthly promotion", "Rejected", ({"reason": "Name of OWNER"},))
    assert isinstance(read.cause, ApplicationError)
    assert read.cause.message == "Tienda Uno"


def test_without_keys_nothing_is_encrypted() -> None:
    converter = build_data_converter(None)
    assert converter.payload_codec is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("k1", 1),
        (f"k1:{KEY},", 2),
        (f"k1:{KEY},k1:{KEY}", 2),
        (f"k 1:{KEY}", 1),
        (f":{KEY}", 1),
        (f"{'k' * 33}:{KEY}", 1),
        (f"k1:{KEY[:-8]}", 1),
        (f"k1:{KEY}{KEY}", 1),
        (f"k1:{KEY[:-1]}", 1),
        (f" k1:{KEY}", 1),
        (f"k1:{KEY}\n", 1),
        (f"k1:{KEY};k2:{KEY}", 1),
    ],
)
def test_a_wrong_entry_is_named_by_its_place(text: str, place: int) -> None:
    with pytest.raises(ValueError, match=f"entry {place} ") as refused:
        KeyRing.parse(text)
    assert KEY[:8] not in str(refused.value)


def test_neither_settings_nor_a_ring_show_a_key() -> None:
    settings = EncryptionSettings(payload_encryption_keys=SecretStr(BOTH_KEYS))
    assert settings.key_ring is not None
    assert settings.key_ring.first == "new2"
    secret = NEW_KEY.split(":")[1]
    assert secret not in repr(settings)
    assert secret not in repr(settings.key_ring)
    with pytest.raises(ValidationError, match="entry 1 must be an id") as refused:
        EncryptionSettings(payload_encryption_keys=SecretStr(f"k1:{secret}x"))
    assert secret not in str(refused.value)
