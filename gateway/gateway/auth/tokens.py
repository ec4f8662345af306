"""Access tokens (JWT, EdDSA) and refresh tokens (opaque, used once)."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import time
from typing import Any

import jwt

from gateway.auth.accounts import Account, Database
from gateway.auth.keys import SigningKeys
from gateway.errors import Problem
from svckit.ids import new_id

# An answer may get lost: for these seconds the same refresh token works again.
_GRACE = dt.timedelta(seconds=10)


class Issuer:
    """Issues access tokens."""

    def __init__(self, *, keys: SigningKeys, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def issue(self, account: Account, *, seconds: int, auth_time: int | None = None) -> str:
        """Returns a signed token good for `seconds`; `auth_time` is when the secret was given (now by default)."""
        key = await self._keys.newest()
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": account.username,
            "iat": now,
            "exp": now + seconds,
            "auth_time": auth_time or now,
            "jti": new_id(),
            "name": account.name,
            "roles": list(account.roles),
            "area": account.area,
            "department": account.department,
            "purposes": list(account.purposes),
        }
        return jwt.encode(claims, key.private, algorithm="EdDSA", headers={"kid": key.id})


class RefreshTokens:
    """Refresh tokens, stored as hashes. Each works once; one that comes back later ends all of its family, since it was stolen."""

    def __init__(self, database: Database, *, seconds: int) -> None:
        self._tokens = database["refresh_tokens"]
        self._life = dt.timedelta(seconds=seconds)

    async def ensure_indexes(self) -> None:
        """Lets expired tokens go by themselves and finds families."""
        await self._tokens.create_index("expires_at", expireAfterSeconds=0)
        await self._tokens.create_index("family")

    async def start(self, username: str) -> str:
        """Returns the first token of a new family."""
        return await self._add(username, new_id(), dt.datetime.now(dt.UTC) + self._life)

    async def exchange(self, token: str) -> tuple[str, str]:
        """Uses a token up; returns the username and the next token. Raises Problem 401 (REFRESH_TOKEN_INVALID)."""
        now = dt.datetime.now(dt.UTC)
        key = _digest(token)
        record = await self._tokens.find_one_and_update({"_id": key, "used_at": None}, {"$set": {"used_at": now}})
        record = record or await self._used(key, now)
        if record is None or record["expires_at"] <= now:
            raise Problem(401, "REFRESH_TOKEN_INVALID", "The refresh token has expired or was used before.")
        return record["username"], await self._add(record["username"], record["family"], record["expires_at"])

    async def _used(self, key: str, now: dt.datetime) -> dict[str, Any] | None:
        record = await self._tokens.find_one({"_id": key})
        if record is None or record["used_at"] > now - _GRACE:
            return record
        await self._tokens.delete_many({"family": record["family"]})
        return None

    async def _add(self, username: str, family: str, expires_at: dt.datetime) -> str:
        token = secrets.token_urlsafe(32)
        fields = {"username": username, "family": family, "expires_at": expires_at, "used_at": None}
        await self._tokens.insert_one({"_id": _digest(token), **fields})
        return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
