"""HMAC with a key that is used again and again: what the key alone decides is computed once. Pure.

`hmac.digest` sets up its key and its two hashes for every value: 1.8 µs, here 0.8; an import needs four a row. The digests are those of
`hmac.digest` (RFC 2104), which a test compares.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))
_KEYS_REMEMBERED = 64
"""Keys of one process: a handful, and those of the tests."""


def keyed_digest(key: bytes, data: bytes, name: str) -> bytes:
    """Returns the HMAC of some data with the hash called `name` ("sha256", "sha512")."""
    inner, outer = _begun(key, name)
    first = inner.copy()
    first.update(data)
    second = outer.copy()
    second.update(first.digest())
    digest: bytes = second.digest()
    return digest


@lru_cache(maxsize=_KEYS_REMEMBERED)
def _begun(key: bytes, name: str) -> tuple[Any, Any]:
    """The inner and the outer hash, fed with the key; they are only ever copied, so threads may share them."""
    size = hashlib.new(name).block_size
    block = (hashlib.new(name, key).digest() if len(key) > size else key).ljust(size, b"\0")
    return hashlib.new(name, block.translate(_INNER)), hashlib.new(name, block.translate(_OUTER))
