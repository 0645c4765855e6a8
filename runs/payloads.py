"""Convert what crosses Temporal: pydantic's JSON, encrypted where the deployment has keys."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, DefaultFailureConverter, PayloadConverter
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from runs.key_ring import KeyRing

ENCODING = b"binary/encrypted"
KEY_ID = "encryption-key-id"


class UnreadablePayloadError(RuntimeError):
    """A payload was encrypted with a key that this process lacks, or was changed since."""


class BriefFailures(DefaultFailureConverter):
    """Leaves out the stack trace of a rejection: its sentence says what its caller has to mend."""

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Convert an exception to a failure of Temporal."""
        if isinstance(exception, ApplicationError) and exception.category is ApplicationErrorCategory.BENIGN:
            exception.__traceback__ = None
        super().to_failure(exception, payload_converter, failure)


class EncodedBriefFailures(BriefFailures):
    """The same, with texts and stack traces in a payload, so that they are encrypted."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)


def build_data_converter(keys: KeyRing | None) -> DataConverter:
    """Build the converter of every client; with keys, it encrypts messages and stack traces of failures as well."""
    if keys is None:
        return replace(pydantic_data_converter, failure_converter_class=BriefFailures)
    from runs.encryption import Encryption  # noqa: PLC0415 - a start without keys doesn't load the library

    return replace(
        pydantic_data_converter,
        payload_codec=Encryption(keys),
        failure_converter_class=EncodedBriefFailures,
    )


def keys_of(client: Client) -> KeyRing | None:
    """Return the keys that a client's converter was built with."""
    keys: KeyRing | None = getattr(client.data_converter.payload_codec, "keys", None)
    return keys


def first_key_id(client: Client) -> str | None:
    """Return the id of the key that a client encrypts with, or None if it encrypts nothing."""
    keys = keys_of(client)
    return keys.first if keys else None


def read_key_id(payload: Payload) -> str | None:
    """Return the id of the key that a payload is encrypted with, or None if it is not encrypted."""
    if payload.metadata.get("encoding") != ENCODING:
        return None
    return payload.metadata.get(KEY_ID, b"").decode(errors="replace")


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
