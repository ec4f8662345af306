"""Puts the parts of sign-in together: our own issuer, or the verifier of somebody else's tokens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from gateway.app import Target
from gateway.auth.accounts import Accounts
from gateway.auth.demo import demo_accounts
from gateway.auth.keys import SigningKeys
from gateway.auth.oauth import Published, TokenEndpoint
from gateway.auth.sessions import Sessions, who_am_i
from gateway.auth.tokens import Issuer, RefreshTokens
from gateway.config import GatewaySettings
from gateway.exchange import Exchange
from gateway.routes import Router
from svckit.tokens import KeySet, TokenVerifier

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
# A database that is away is reported soon, not after the usual half minute.
_MONGO_SELECTION_MS = 3000


class ForeignSignIn:
    """Tokens come from another issuer: they are checked against its published keys, and there is no login here."""

    ready = True

    def __init__(self, settings: GatewaySettings) -> None:
        keys = KeySet(url=settings.jwks_url)
        self.verifier = TokenVerifier(keys=keys, issuer=settings.token_issuer, audience=settings.audience)

    def admit(self, exchange: Exchange) -> Awaitable[None] | None:
        """Every request passes; the services look at its token."""
        del exchange
        return None

    def add_routes(self, router: Router[Target]) -> None:
        """Adds /auth/me."""
        router.add("GET", "/auth/me", Target("/auth/me", who_am_i(self.verifier)))

    async def prepare(self) -> None:
        """Nothing to prepare."""

    async def close(self) -> None:
        """Nothing to close."""


class OwnSignIn:
    """The gateway is the issuer; accounts, keys and refresh tokens are in MongoDB."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            settings.mongo_uri, tz_aware=True, serverSelectionTimeoutMS=_MONGO_SELECTION_MS, w="majority"
        )
        database = self._client[settings.gateway_database]
        self.keys = SigningKeys(database)
        self.verifier = TokenVerifier(keys=self.keys, issuer=settings.token_issuer, audience=settings.audience)
        self._accounts = Accounts(database)
        self._refresh = RefreshTokens(database, seconds=settings.session_seconds)
        issuer = Issuer(keys=self.keys, issuer=settings.token_issuer, audience=settings.audience)
        self._endpoint = TokenEndpoint(
            accounts=self._accounts,
            issuer=issuer,
            refresh=self._refresh,
            person_seconds=settings.token_seconds,
            system_seconds=settings.system_token_seconds,
        )
        self._sessions = Sessions(
            accounts=self._accounts,
            issuer=issuer,
            verifier=self.verifier,
            public_url=settings.public_url,
            idle_seconds=settings.token_seconds,
            total_seconds=settings.session_seconds,
        )
        self.admit = self._sessions.admit
        self.ready = False

    def add_routes(self, router: Router[Target]) -> None:
        """Adds the token endpoint, the published documents and the session's routes."""
        published = Published(keys=self.keys, issuer=self._settings.token_issuer)
        for method, path, handle in (
            ("POST", "/oauth2/token", self._endpoint),
            ("GET", "/.well-known/jwks.json", published.jwks),
            ("GET", "/.well-known/openid-configuration", published.discovery),
            ("POST", "/auth/login", self._sessions.login),
            ("POST", "/auth/logout", self._sessions.logout),
            ("GET", "/auth/me", who_am_i(self.verifier)),
            ("GET", "/auth/demo", self._demo),
        ):
            router.add(method, path, Target(path, handle))

    async def _demo(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """A demo account for whoever opens a local stack for the first time; nothing once accounts or password are somebody's own."""
        settings = self._settings
        published = settings.demo_users and settings.demo_password == GatewaySettings.demo_password
        await exchange.send_data({"username": "dispatcher", "password": settings.demo_password} if published else {})

    async def prepare(self) -> None:
        """Makes indexes, keys and demo accounts; tries until the database answers."""
        while not self.ready:
            try:
                await self._prepare_once()
                self.ready = True
            except PyMongoError as error:
                _log.warning("sign-in waits for its database: %s", type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _prepare_once(self) -> None:
        await self.keys.load()
        await self._accounts.ensure_indexes()
        await self._refresh.ensure_indexes()
        if self._settings.demo_users:
            await self._accounts.put(demo_accounts(), secret=self._settings.demo_password)

    async def close(self) -> None:
        """Closes the database connection."""
        await self._client.close()


SignIn = ForeignSignIn | OwnSignIn


def sign_in(settings: GatewaySettings) -> SignIn:
    """Returns the sign-in the settings ask for; call it inside the running loop."""
    return OwnSignIn(settings) if settings.issues_tokens else ForeignSignIn(settings)
