"""Convert what crosses Temporal: pydantic's JSON, encrypted where the deployment has keys."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from google.protobuf.message import DecodeError, Message
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec

from runs.key_ring import KeyRing

ENCODING = b"binary/encrypted"
KEY_ID, NONCE = "encryption-key-id", "encryption-nonce"
NONCE_BYTES = 12


class UnreadablePayloadError(RuntimeError):
    """A payload was encrypted with a key that this process lacks, or was changed since."""


class Encryption(PayloadCodec):
    """Encrypt each payload with its metadata. Payloads of another encoding are left as they are.

    The web UI's forms and Temporal's command line send such payloads, and runs from before the encryption hold them. A
    payload is the same in every run, so a run needs no context to convert it.
    """

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt the payloads with the first key."""
        return [self.encrypt(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt the payloads.

        Raises:
            UnreadablePayloadError: one of them can't be decrypted. The worker then fails the workflow task, which is
                tried again, and never the run.
        """
        return [self.decrypt(payload) for payload in payloads]

    def encrypt(self, payload: Payload) -> Payload:
        """Encrypt a payload with the first key."""
        key_id, nonce = self.keys.first, os.urandom(NONCE_BYTES)
        data = self.keys.ciphers[key_id].encrypt(nonce, payload.SerializeToString(), ENCODING)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode(), NONCE: nonce}, data=data)

    def decrypt(self, payload: Payload) -> Payload:
        """Decrypt a payload, if it is encrypted.

        Raises:
            UnreadablePayloadError: this process lacks the key, or the payload was changed.
        """
        key_id = read_key_id(payload)
        if key_id is None:
            return payload
        if key_id not in self.keys.ciphers:
            msg = f"PAYLOAD_ENCRYPTION_KEYS lacks the key {key_id!r} of a payload"
            raise UnreadablePayloadError(msg)
        try:
            return Payload.FromString(
                self.keys.ciphers[key_id].decrypt(payload.metadata[NONCE], payload.data, ENCODING)
            )
        except (InvalidTag, ValueError, DecodeError) as failure:
            msg = f"a payload can't be decrypted with the key {key_id!r}: it was changed, or the key is another one"
            raise UnreadablePayloadError(msg) from failure


def read_key_id(payload: Payload) -> str | None:
    """Return the id of the key that a payload is encrypted with, or None if it is not encrypted."""
    if payload.metadata.get("encoding") != ENCODING:
        return None
    return payload.metadata.get(KEY_ID, b"").decode(errors="replace")


def build_data_converter(keys: KeyRing | None) -> DataConverter:
    """Build the converter of every client; with keys, it encrypts messages and stack traces of failures as well."""
    if keys is None:
        return pydantic_data_converter
    return replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def encryption_of(converter: DataConverter) -> Encryption | None:
    """Return the encryption of a converter that `build_data_converter` has built; None if it has none."""
    codec = converter.payload_codec
    return codec if isinstance(codec, Encryption) else None


async def decode_fields(converter: DataConverter, fields: Mapping[str, Payload]) -> dict[str, Payload]:
    """Return headers as the SDK hands them to a workflow: decrypted, and not converted."""
    codec = converter.payload_codec
    values = await codec.decode(list(fields.values())) if codec else list(fields.values())
    return dict(zip(fields, values, strict=True))


def find_payloads(message: Message) -> Iterator[Payload]:
    """Yield every payload within a message of Temporal; search attributes aren't any: the server reads them."""
    for field, value in message.ListFields():
        if field.name == "search_attributes":
            continue
        for inner in _list_messages(value):
            if isinstance(inner, Payload):
                yield inner
            else:
                yield from find_payloads(inner)


def _list_messages(value: Any) -> list[Message]:
    """Return the messages in the value of a field, which may be single, repeated or a map."""
    if isinstance(value, Message):
        return [value]
    if isinstance(value, str | bytes | int | float):
        return []
    values = value.values() if isinstance(value, Mapping) else value
    return [one for one in values if isinstance(one, Message)]
