"""Who a bearer token speaks for: JWTs checked against the issuer's published keys (JWKS)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import time
import urllib.request
from typing import Any, Protocol

import jwt

from svckit.access import Caller, caller_from_claims
from svckit.errors import Unauthenticated, Unavailable

_log = logging.getLogger(__name__)
_SCHEME = "bearer "
_LEEWAY_S = 10
_REMEMBER_S = 300.0
# Algorithms by key type; a token never chooses its own.
_ALGORITHMS = {"OKP": "EdDSA", "RSA": "RS256", "EC": "ES256"}


class Keys(Protocol):
    """Where the keys of an issuer are found by their ids."""

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Returns the key; see `KeySet.key`."""


class KeySet:
    """The keys published at `url`; fetched when first needed, again for an unknown key id, and at the latest after `max_age` s.

    An issuer that is away is no error as long as the keys are known. Fetches are at least `pause` seconds apart, so that
    tokens with invented key ids cannot make us hammer the issuer.
    """

    def __init__(self, *, url: str, pause: float = 1.0, max_age: float = 600.0, timeout: float = 3.0) -> None:
        self._url = url
        self._pause = pause
        self._max_age = max_age
        self._timeout = timeout
        self._keys: dict[str, jwt.PyJWK] = {}
        self._tried_at = self._fetched_at = float("-inf")
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> jwt.PyJWK:
        """Returns the key with that id ("" where the issuer has only one).

        Raises Unauthenticated (KEY_UNKNOWN) for a key the issuer does not publish, Unavailable (KEYS_UNAVAILABLE) while no key
        could be fetched at all.
        """
        found = self._known(key_id)
        # While one caller waits for an issuer that may be hanging, the others go on with the keys there are.
        if found is None or (self._is_stale() and not self._lock.locked()):
            await self._refresh()
            found = self._known(key_id)
        if found is not None:
            return found
        if not self._keys:
            raise Unavailable("The keys that tokens are checked with cannot be fetched now.", reason="KEYS_UNAVAILABLE")
        raise Unauthenticated("The token is signed with a key its issuer does not publish.", reason="KEY_UNKNOWN")

    async def prefetch(self) -> None:
        """Fetches the keys ahead of the first call, as often as it takes."""
        while not self._keys:
            await self._refresh()
            await asyncio.sleep(self._pause)

    def _known(self, key_id: str) -> jwt.PyJWK | None:
        if not key_id and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(key_id)

    def _is_stale(self) -> bool:
        return time.monotonic() - self._fetched_at > self._max_age

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._tried_at < self._pause:
                return
            try:
                self._keys = _keys_of(await asyncio.to_thread(self._fetch))
                self._fetched_at = time.monotonic()
            except (OSError, ValueError, jwt.PyJWTError) as error:
                _log.warning("keys cannot be fetched from the issuer: %s", type(error).__name__, extra={"url": self._url})
            finally:
                self._tried_at = time.monotonic()  # at the end, or those who waited for it would all try again in turn

    def _fetch(self) -> Any:
        with urllib.request.urlopen(self._url, timeout=self._timeout) as response:
            return json.load(response)


def _keys_of(document: Any) -> dict[str, jwt.PyJWK]:
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a JWKS document")
    usable = [key for key in document["keys"] if key.get("kty") in _ALGORITHMS and key.get("use", "sig") == "sig"]
    return {key.get("kid", ""): jwt.PyJWK(key, algorithm=key.get("alg") or _ALGORITHMS[key["kty"]]) for key in usable}


class TokenVerifier:
    """Turns `authorization` metadata into a Caller; remembers up to `capacity` verified tokens until they expire."""

    def __init__(self, *, keys: Keys, issuer: str, audience: str, capacity: int = 10_000) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._capacity = capacity
        self._verified: dict[tuple[str, str], tuple[float, Caller]] = {}

    def remembered(self, authorization: str, purpose: str) -> Caller | None:
        """Returns the caller of a token verified before and still valid, None otherwise."""
        entry = self._verified.get((authorization, purpose))
        if entry is None:
            return None
        if entry[0] > time.time():
            return entry[1]
        self._verified.pop((authorization, purpose), None)
        return None

    async def verify(self, authorization: str, purpose: str) -> Caller:
        """Returns the caller, with `purpose` as the stated one.

        Raises Unauthenticated (TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, KEY_UNKNOWN) or Unavailable (KEYS_UNAVAILABLE).
        """
        if authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated("This call needs a bearer token.", reason="TOKEN_MISSING")
        claims = await self._claims(authorization[len(_SCHEME) :].strip())
        expires_at = float(claims["exp"])
        caller = dataclasses.replace(caller_from_claims(claims), purpose=purpose, expires_at=expires_at)
        self._remember((authorization, purpose), min(expires_at, time.time() + _REMEMBER_S), caller)
        return caller

    async def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = await self._keys.key(jwt.get_unverified_header(token).get("kid", ""))
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("The token has expired.", reason="TOKEN_EXPIRED") from error
        except jwt.PyJWTError as error:
            raise Unauthenticated("The token is not valid here.", reason="TOKEN_INVALID") from error

    def _remember(self, key: tuple[str, str], until: float, caller: Caller) -> None:
        while len(self._verified) >= self._capacity:
            self._verified.pop(next(iter(self._verified)))
        self._verified[key] = (until, caller)
