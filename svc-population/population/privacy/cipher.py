"""Encrypted values exactly as MongoDB's explicit client-side encryption writes them, without its cost per call. Pure.

A blob is `02 | key id (16) | BSON type (1) | IV (16) | AES-256-CBC | HMAC-SHA-512 cut to 32`, the algorithm
AEAD_AES_256_CBC_HMAC_SHA_512-Random of the client-side encryption specification: `ClientEncryption` of any driver opens what this
module sealed and the other way round (a test proves both). Through libmongocrypt a value costs 77 µs to seal and 60 µs to open,
here 3 µs: an import seals two values a row.
"""

from __future__ import annotations

import hmac
import os
import threading

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from population.privacy.keyed_hash import keyed_digest

MATERIAL_BYTES = 96
"""A data key: 32 bytes authenticate, 32 encrypt, 32 are for deterministic ciphers, which are not used here."""

_RANDOM = b"\x02"
_BINARY = b"\x05"
_HEAD, _IV, _TAG = 18, 16, 32
_BLOCK = 16
_DRAWN = 256
"""Random blocks drawn at a time."""
_HEAD_BITS = (_HEAD * 8).to_bytes(8, "big")


class CannotOpen(Exception):
    """The blob was made with another key, or tampered with."""


class DataKey(msgspec.Struct, frozen=True):
    """A data key: `id` (16 bytes, of the key vault's document) stands in every blob, `material` are its 96 secret bytes."""

    id: bytes
    material: bytes

    def __repr__(self) -> str:
        return f"DataKey({self.id.hex()})"


def key_id_of(blob: bytes) -> bytes:
    """Returns the id of the data key a blob was sealed with. Raises CannotOpen for what is no such blob."""
    if len(blob) < _HEAD + _IV + _BLOCK + _TAG or blob[:1] != _RANDOM:
        raise CannotOpen("this is no encrypted value")
    return bytes(blob[1:17])


class _Streams(threading.local):
    """One CBC stream for each key and direction and thread: making one for every value costs three times what the cipher costs.

    In CBC the cipher of a block is the IV of those behind it. So a value behind a block of random bytes is encrypted exactly as with
    the cipher of these bytes as its IV, which is as random as they are; and it is decrypted right whatever came before the IV.
    """

    def __init__(self) -> None:
        self._sealing: dict[DataKey, CipherContext] = {}
        self._opening: dict[DataKey, CipherContext] = {}
        self._blocks: list[bytes] = []

    def random_block(self) -> bytes:
        """Returns 16 random bytes nobody else gets; the system is asked for many at a time."""
        if not self._blocks:
            drawn = os.urandom(_IV * _DRAWN)
            self._blocks = [drawn[at : at + _IV] for at in range(0, len(drawn), _IV)]
        return self._blocks.pop()

    def forget_random(self) -> None:
        """Throws away what was drawn: a forked process must not use what its parent uses."""
        self._blocks = []

    def sealing(self, key: DataKey) -> CipherContext:
        stream = self._sealing.get(key)
        if stream is None:
            stream = self._sealing[key] = _cbc(key).encryptor()
        return stream

    def opening(self, key: DataKey) -> CipherContext:
        stream = self._opening.get(key)
        if stream is None:
            stream = self._opening[key] = _cbc(key).decryptor()
        return stream


_streams = _Streams()
os.register_at_fork(after_in_child=_streams.forget_random)


def _cbc(key: DataKey) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key.material[32:64]), modes.CBC(os.urandom(_IV)))


def encrypt(key: DataKey, value: bytes) -> bytes:
    """Returns the blob of a BSON binary value; the same value gives another blob every time."""
    plain = len(value).to_bytes(4, "little") + b"\x00" + value
    pad = _BLOCK - len(plain) % _BLOCK
    body = _streams.sealing(key).update(_streams.random_block() + plain + bytes((pad,)) * pad)
    head = _RANDOM + key.id + _BINARY
    return head + body + _tag(key, head, body)


def decrypt(key: DataKey, blob: bytes) -> bytes:
    """Returns the value of a blob. Raises CannotOpen."""
    head, body, tag = blob[:_HEAD], blob[_HEAD:-_TAG], blob[-_TAG:]
    if key_id_of(blob) != key.id or head[17:] != _BINARY or not hmac.compare_digest(tag, _tag(key, head, body)):
        raise CannotOpen("the value was sealed with another key, or altered")
    plain = _streams.opening(key).update(body)[_IV:]
    plain = plain[: -plain[-1]]
    return plain[5 : 5 + int.from_bytes(plain[:4], "little")]


def _tag(key: DataKey, head: bytes, body: bytes) -> bytes:
    return keyed_digest(key.material[:32], head + body + _HEAD_BITS, "sha512")[:_TAG]
