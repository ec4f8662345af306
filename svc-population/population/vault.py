"""Keeps identity and telephone numbers unreadable in the database: encrypted per field, with a blind index for equality.

The ciphers are those of MongoDB's explicit client-side encryption (`privacy.cipher`); their data keys and the keys of the index lie
wrapped in the key vault (`privacy.keyring`). A sealed value is bound to its field and owner: moved to another document it does not
open. Keys may change while a process runs: `use` replaces them at once.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from population.config import KEY_BYTES
from population.domain.secret import Secret
from population.privacy.cipher import MATERIAL_BYTES, CannotOpen, DataKey, decrypt, encrypt, key_id_of
from population.privacy.keyed_hash import keyed_digest

_NONCE_BYTES = 12
_FIRST_RELEASES = b"\x01"  # values sealed with the field key itself, AES-256-GCM
_BINDING_BYTES = 8


class VaultError(Exception):
    """A value cannot be opened: another key sealed it, or it was tampered with. A defect, never the caller's mistake."""


class FieldKeys(msgspec.Struct, frozen=True, kw_only=True):
    """What a vault works with: the data key that seals, all that open, and the keys of the blind index, the present one first.

    `index_keys` are two while an index key is being rotated. `field_key` opens what the first releases sealed, b"" for nothing.
    """

    sealing: DataKey
    opening: Mapping[bytes, DataKey]
    index_keys: tuple[bytes, ...]
    field_key: bytes = b""

    def __repr__(self) -> str:
        return f"FieldKeys({self.sealing!r})"

    @classmethod
    def of(cls, field_key: bytes) -> FieldKeys:
        """Returns keys derived from one field key, without a key vault: for tests and measurements."""
        if len(field_key) != KEY_BYTES:
            raise ValueError(f"the field key needs {KEY_BYTES} bytes")
        material = derived(field_key, b"binglian field cipher v2", MATERIAL_BYTES)
        key = DataKey(hashlib.sha256(material).digest()[:16], material)
        return cls(sealing=key, opening={key.id: key}, index_keys=(first_index_key(field_key),), field_key=field_key)


class Vault:
    """Seals and opens values; safe to share between threads. `privacy.keyring.open_vault` makes one."""

    def __init__(self, keys: FieldKeys) -> None:
        if not isinstance(keys, FieldKeys):
            raise TypeError("a vault is opened by population.privacy.keyring.open_vault, in tests by FieldKeys.of")
        self._keys = keys

    def use(self, keys: FieldKeys) -> None:
        """Goes on with these keys."""
        self._keys = keys

    def seal(self, value: str, *, field: str, owner: str) -> Secret:
        """Seals a value of one field of the document `owner`; sealing twice gives different ciphers and the same index."""
        return Secret(
            cipher=encrypt(self._keys.sealing, binding(field, owner) + value.encode()), index=self.index(value, field=field)
        )

    def open(self, cipher: bytes, *, field: str, owner: str) -> str:
        """Opens what `seal` made for the same field and owner. Raises VaultError."""
        if cipher[:1] == _FIRST_RELEASES:
            return self._open_first(cipher, _context(field, owner))
        opened = self.open_bound(cipher)
        if not hmac.compare_digest(opened[:_BINDING_BYTES], binding(field, owner)):
            raise VaultError("the value belongs elsewhere")
        return opened[_BINDING_BYTES:].decode()

    def seal_bytes(self, data: bytes, *, owner: str) -> bytes:
        """Seals a part of a file, bound to `owner`; nobody looks for it by its content, so it has no index."""
        return encrypt(self._keys.sealing, binding("part", owner) + data)

    def open_bytes(self, cipher: bytes, *, owner: str) -> bytes:
        """Opens what `seal_bytes` made for the same owner. Raises VaultError."""
        opened = self.open_bound(cipher)
        if not hmac.compare_digest(opened[:_BINDING_BYTES], binding("part", owner)):
            raise VaultError("the part belongs elsewhere")
        return opened[_BINDING_BYTES:]

    def open_bound(self, cipher: bytes) -> bytes:
        """Opens a value together with what binds it to its field and owner. Raises VaultError."""
        try:
            return decrypt(self._keys.opening[key_id_of(cipher)], cipher)
        except (CannotOpen, KeyError) as error:
            raise VaultError("the value was sealed with another key, or altered") from error

    def is_current(self, cipher: bytes) -> bool:
        """Tells whether a value is sealed with the present data key."""
        return cipher[1:17] == self._keys.sealing.id and cipher[:1] != _FIRST_RELEASES

    def index(self, value: str, *, field: str) -> bytes:
        """Returns what equal values of one field have in common and nobody without the key can compute. Written beside the cipher."""
        return _index(self._keys.index_keys[0], value, field)

    def indexes(self, value: str, *, field: str) -> list[bytes]:
        """Returns all indexes an equal value may have now: look for any of them. Two while an index key is being rotated."""
        return [_index(key, value, field) for key in self._keys.index_keys]

    def indexes_of(self, secret: Secret, *, field: str, owner: str) -> list[bytes]:
        """Returns all indexes an equal value may have now, for a value that is sealed. Costs nothing but during a rotation."""
        if len(self._keys.index_keys) == 1:
            return [secret.index]
        return self.indexes(self.open(secret.cipher, field=field, owner=owner), field=field)

    def _open_first(self, cipher: bytes, context: bytes) -> str:
        if not self._keys.field_key:
            raise VaultError("the value was sealed with a field key that is not configured any more")
        nonce, body = cipher[1 : 1 + _NONCE_BYTES], cipher[1 + _NONCE_BYTES :]
        key = derived(self._keys.field_key, b"binglian field cipher v1", KEY_BYTES)
        try:
            return AESGCM(key).decrypt(nonce, body, context).decode()
        except InvalidTag as error:
            raise VaultError("the value was sealed with another key, or belongs elsewhere") from error


def binding(field: str, owner: str) -> bytes:
    """Returns what ties a value to its field and owner (8 bytes)."""
    return hashlib.blake2b(_context(field, owner), digest_size=_BINDING_BYTES).digest()


def first_index_key(field_key: bytes) -> bytes:
    """Returns the key of the blind index that belongs to a field key: those of the first releases go on with it."""
    return derived(field_key, b"binglian blind index v1", KEY_BYTES)


def derived(key: bytes, purpose: bytes, length: int) -> bytes:
    """Returns `length` bytes for one purpose from a secret key (HKDF-SHA-256)."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(key)


def _index(key: bytes, value: str, field: str) -> bytes:
    return keyed_digest(key, f"{field}\0{value}".encode(), "sha256")


def _context(field: str, owner: str) -> bytes:
    return f"{field}\0{owner}".encode()
