"""Keeps identity and telephone numbers unreadable in the database: AES-256-GCM per value, HMAC-SHA-256 for equality.

Both keys come from one field key by HKDF, so that the key that answers "is it equal" cannot open anything. A sealed value is bound
to its field and owner: moved to another document it does not open.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from population.config import KEY_BYTES
from population.domain.secret import Secret

_NONCE_BYTES = 12
_VERSION = b"\x01"


class VaultError(Exception):
    """A value cannot be opened: another key sealed it, or it was tampered with. A defect, never the caller's mistake."""


class Vault:
    """Seals and opens values. `field_key` are 32 secret bytes; losing them loses the numbers."""

    def __init__(self, field_key: bytes) -> None:
        if len(field_key) != KEY_BYTES:
            raise ValueError(f"the field key needs {KEY_BYTES} bytes")
        self._cipher = AESGCM(_derived(field_key, b"binglian field cipher v1"))
        self._index_key = _derived(field_key, b"binglian blind index v1")

    def seal(self, value: str, *, field: str, owner: str) -> Secret:
        """Seals a value of one field of the document `owner`; sealing twice gives different ciphers and the same index."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _VERSION + nonce + self._cipher.encrypt(nonce, value.encode(), _context(field, owner))
        return Secret(cipher=sealed, index=self.index(value, field=field))

    def open(self, cipher: bytes, *, field: str, owner: str) -> str:
        """Opens what `seal` made for the same field and owner. Raises VaultError."""
        if cipher[:1] != _VERSION:
            raise VaultError("the value was sealed in an unknown way")
        nonce, body = cipher[1 : 1 + _NONCE_BYTES], cipher[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, body, _context(field, owner)).decode()
        except InvalidTag as error:
            raise VaultError("the value was sealed with another key, or belongs elsewhere") from error

    def index(self, value: str, *, field: str) -> bytes:
        """Returns what equal values of one field have in common and nobody without the key can compute."""
        return hmac.digest(self._index_key, f"{field}\0{value}".encode(), hashlib.sha256)


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose).derive(key)


def _context(field: str, owner: str) -> bytes:
    return f"{field}\0{owner}".encode()
