"""Encrypt and decrypt payloads. A process without keys doesn't load this module, nor the library that it needs."""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.message import DecodeError
from temporalio.api.common.v1 import Payload
from temporalio.converter import PayloadCodec

from runs.key_ring import KeyRing
from runs.payloads import ENCODING, KEY_ID, UnreadablePayloadError, read_key_id

NONCE = "encryption-nonce"
NONCE_BYTES = 12


class Encryption(PayloadCodec):
    """Encrypt each payload with its metadata. Payloads of another encoding are left as they are.

    The web UI's forms and Temporal's command line send such payloads, and runs from before the encryption hold them. A
    payload is the same in every run, so a run needs no context to convert it.
    """

    def __init__(self, keys: KeyRing) -> None:
        self.keys = keys
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.keys.items()}

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
        data = self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), ENCODING)
        return Payload(metadata={"encoding": ENCODING, KEY_ID: key_id.encode(), NONCE: nonce}, data=data)

    def decrypt(self, payload: Payload) -> Payload:
        """Decrypt a payload, if it is encrypted.

        Raises:
            UnreadablePayloadError: this process lacks the key, or the payload was changed.
        """
        key_id = read_key_id(payload)
        if key_id is None:
            return payload
        if key_id not in self._ciphers:
            msg = f"PAYLOAD_ENCRYPTION_KEYS lacks the key {key_id!r} of a payload"
            raise UnreadablePayloadError(msg)
        try:
            content = self._ciphers[key_id].decrypt(payload.metadata[NONCE], payload.data, ENCODING)
            return Payload.FromString(content)
        except (InvalidTag, ValueError, DecodeError) as failure:
            msg = f"a payload can't be decrypted with the key {key_id!r}: it was changed, or the key is another one"
            raise UnreadablePayloadError(msg) from failure
