"""Sessions of the web pages: the access token in a cookie that scripts cannot read.

Event streams of browsers cannot send headers, so the cookie stands in for `authorization`. A mutation made with the cookie needs
`X-Requested-With` or an `Origin` of our own, which a form of another site cannot send. An active session is prolonged; after 15
idle minutes, or twelve hours in all, it ends (security_baseline.yaml).
"""

from __future__ import annotations

import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from gateway.auth.accounts import Account, Accounts
from gateway.auth.tokens import Issuer
from gateway.errors import Problem
from gateway.exchange import Exchange
from gateway.rest import check_content
from gateway.transcode import DecodeError
from gateway.transcode.text import read_json
from svckit.access import Caller
from svckit.errors import Unauthenticated
from svckit.tokens import TokenVerifier

COOKIE = "binglian_session"
_PREFIX = f"{COOKIE}=".encode()
_SAFE = {"GET", "HEAD", "OPTIONS"}
_REMEMBERED = 10_000
_LONGEST = 4096  # browsers keep no longer cookies


class Sessions:
    """Login, logout, and the cookie in between."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        issuer: Issuer,
        verifier: TokenVerifier,
        public_url: str,
        idle_seconds: int,
        total_seconds: int,
    ) -> None:
        self._accounts = accounts
        self._issuer = issuer
        self._verifier = verifier
        self._origin = public_url
        self._flags = "; Path=/; HttpOnly; SameSite=Strict" + ("; Secure" if public_url.startswith("https:") else "")
        self._idle = idle_seconds
        self._total = total_seconds
        self._begun: dict[str, tuple[int, int]] = {}

    # ------------------------------------------------------------------------------------------------ every request

    def admit(self, exchange: Exchange) -> Awaitable[None] | None:
        """Puts the token of the session into `authorization`, unless the request brings its own.

        Raises Problem 403 (CSRF). What has to be waited for is returned.
        """
        if b"cookie" not in exchange.headers or b"authorization" in exchange.headers:
            return None
        token = session_token(exchange.headers[b"cookie"])
        if not token:
            return None
        if exchange.method not in _SAFE:
            self._check_origin(exchange)
        exchange.headers[b"authorization"] = b"Bearer " + token
        issued, begun = self._times(token.decode("latin-1"))
        half_gone = time.time() > issued + self._idle / 2
        return self._prolong(exchange, begun) if half_gone and begun else None

    def _check_origin(self, exchange: Exchange) -> None:
        if b"x-requested-with" in exchange.headers:
            return
        origin = exchange.header(b"origin")
        if origin and (origin == self._origin or urlsplit(origin).netloc == exchange.header(b"host")):
            return
        raise Problem(403, "CSRF", "A change made with the session cookie needs the header X-Requested-With.")

    def _times(self, token: str) -> tuple[int, int]:
        """When the token was issued and when its session began, seconds; zeros for what is no token. Nothing is trusted yet."""
        known = self._begun.get(token)
        if known is None and len(token) > _LONGEST:
            return 0, 0  # not one of ours; remembered, such cookies could fill the memory
        if known is None:
            if len(self._begun) >= _REMEMBERED:
                self._begun.clear()
            known = self._begun[token] = _unverified_times(token)
        return known

    async def _prolong(self, exchange: Exchange, begun: int) -> None:
        caller = await self._caller_or_none(exchange)
        account = await self._accounts.get(caller.subject) if caller else None
        if account and time.time() < begun + self._total:
            await self._give(exchange, account, auth_time=begun)

    async def _caller_or_none(self, exchange: Exchange) -> Caller | None:
        try:
            return await self._verifier.verify(exchange.header(b"authorization"), "")
        except Unauthenticated:
            return None

    async def _give(self, exchange: Exchange, account: Account, *, auth_time: int | None = None) -> None:
        token = await self._issuer.issue(account, seconds=self._idle, auth_time=auth_time)
        exchange.cookies.append(f"{COOKIE}={token}; Max-Age={self._idle}{self._flags}".encode())

    # ------------------------------------------------------------------------------------------------ routes

    async def login(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """POST /auth/login {"username", "password"}: 200 with who it is and the cookie. Problems: 400, 401, 429."""
        check_content(exchange)
        username, password = _credentials(read_json(await exchange.body()))
        account = await self._accounts.authenticate(kind="person", username=username, secret=password)
        await self._give(exchange, account)
        await exchange.send_data(_shown(account))

    async def logout(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """POST /auth/logout: takes the cookie away, 204."""
        exchange.cookies.append(f"{COOKIE}=; Max-Age=0{self._flags}".encode())
        await exchange.send_nothing()


def who_am_i(verifier: TokenVerifier) -> Callable[[Exchange, Mapping[str, str]], Awaitable[None]]:
    """Returns the handler of GET /auth/me: who the token or session speaks for. Problems: 401."""

    async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
        caller = await verifier.verify(exchange.header(b"authorization"), "")
        await exchange.send_data(
            {
                "sub": caller.subject,
                "name": caller.name,
                "roles": sorted(caller.roles),
                "area": caller.area,
                "department": caller.department,
                "purposes": sorted(caller.purposes),
            }
        )

    return answer


def session_token(cookies: bytes) -> bytes:
    """Returns the token in a cookie header, empty when there is none."""
    for cookie in cookies.split(b";"):
        stripped = cookie.strip()
        if stripped.startswith(_PREFIX):
            return stripped[len(_PREFIX) :]
    return b""


def _unverified_times(token: str) -> tuple[int, int]:
    try:
        payload = token.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return int(claims["iat"]), int(claims["auth_time"])
    except (IndexError, KeyError, ValueError, TypeError):
        return 0, 0


def _credentials(document: Any) -> tuple[str, str]:
    found = []
    for name in ("username", "password"):
        value = document.get(name) if isinstance(document, dict) else None
        if not isinstance(value, str) or not value:
            raise DecodeError("must be a string that is not empty").inside(name)
        found.append(value)
    return found[0], found[1]


def _shown(account: Account) -> dict[str, Any]:
    return {
        "sub": account.username,
        "name": account.name,
        "roles": sorted(account.roles),
        "area": account.area,
        "department": account.department,
        "purposes": sorted(account.purposes),
    }
