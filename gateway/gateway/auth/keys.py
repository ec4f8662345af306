"""The keys tokens are signed with: Ed25519, kept in MongoDB so that all processes of the gateway share them."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import logging
import time
from dataclasses import dataclass
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pymongo.errors import PyMongoError

from gateway.auth.accounts import Database
from svckit.errors import Unauthenticated, Unavailable

_log = logging.getLogger(__name__)
_FIRST = "first"
_REREAD_SECONDS = 60.0
# A key that was replaced is published for as long as tokens signed with it may live.
_AFTERLIFE = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the id under which its public half is published."""

    id: str
    private: Ed25519PrivateKey
    created_at: dt.datetime

    def jwk(self) -> dict[str, str]:
        """Returns the public half as a JWK (RFC 8037)."""
        public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return {"kty": "OKP", "crv": "Ed25519", "x": _encode(public), "kid": self.id, "alg": "EdDSA", "use": "sig"}


class SigningKeys:
    """All keys still in use, newest first; read again every minute, so that a rotation reaches every process."""

    def __init__(self, database: Database) -> None:
        self._keys_stored = database["keys"]
        self._keys: list[SigningKey] = []
        self._read_at = float("-inf")

    async def load(self) -> None:
        """Reads the keys, making the first one where there is none yet; of several processes that try, one wins."""
        new = _document(_FIRST)
        await self._keys_stored.update_one({"_id": _FIRST}, {"$setOnInsert": new}, upsert=True)
        await self._read()

    async def rotate(self) -> str:
        """Adds a key that signs from now on; returns its id. Older ones are published for another day."""
        name = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        await self._keys_stored.insert_one({"_id": name, **_document(name)})
        await self._read()
        return self._keys[0].id

    async def _read(self) -> None:
        records = await self._keys_stored.find().sort("created_at", -1).to_list()
        keys = [_key(record) for record in records]
        oldest = dt.datetime.now(dt.UTC) - _AFTERLIFE
        self._keys = [key for index, key in enumerate(keys) if index == 0 or keys[index - 1].created_at > oldest]
        self._read_at = time.monotonic()

    async def _reread(self) -> None:
        """Reads the keys again; without the database those that are known go on counting."""
        try:
            await self._read()
        except PyMongoError as error:
            if not self._keys:
                raise
            _log.warning("signing keys cannot be read again: %s", type(error).__name__)
            self._read_at = time.monotonic()

    async def newest(self) -> SigningKey:
        """Returns the key to sign with. Raises Unavailable while no key could be read."""
        if time.monotonic() - self._read_at > _REREAD_SECONDS:
            await self._reread()
        if not self._keys:
            raise Unavailable("Nobody can sign in now.", reason="KEYS_UNAVAILABLE")
        return self._keys[0]

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Returns a published key, as `svckit.tokens.TokenVerifier` wants it. Raises Unauthenticated (KEY_UNKNOWN)."""
        await self.newest()
        for key in self._keys:
            if key.id == key_id:
                return jwt.PyJWK(key.jwk(), algorithm="EdDSA")
        raise Unauthenticated("The token is signed with a key that is not ours.", reason="KEY_UNKNOWN")

    async def jwks(self) -> dict[str, Any]:
        """Returns the JWKS document."""
        await self.newest()
        return {"keys": [key.jwk() for key in self._keys]}


def _document(name: str) -> dict[str, Any]:
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return {"name": name, "private": pem, "created_at": dt.datetime.now(dt.UTC)}


def _key(record: dict[str, Any]) -> SigningKey:
    private = Ed25519PrivateKey.from_private_bytes(bytes(record["private"]))
    return SigningKey(id=_thumbprint(private), private=private, created_at=record["created_at"])


def _thumbprint(private: Ed25519PrivateKey) -> str:
    """RFC 7638: the hash of the members that make the key, in order of their names."""
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    members = orjson.dumps({"crv": "Ed25519", "kty": "OKP", "x": _encode(public)})
    return _encode(hashlib.sha256(members).digest())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
