"""OAuth2 for programs: the token endpoint (RFC 6749), the published keys and the discovery document."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from gateway.auth.accounts import Account, Accounts
from gateway.auth.keys import SigningKeys
from gateway.auth.tokens import Issuer, RefreshTokens
from gateway.errors import Problem
from gateway.exchange import Exchange
from gateway.transcode import DecodeError
from gateway.transcode.query import read_query

_FORM = b"application/x-www-form-urlencoded"
_GRANTS = ("password", "client_credentials", "refresh_token")
_PUBLIC_CACHE = ((b"cache-control", b"public, max-age=60"),)


class OAuthError(Exception):
    """An error of the token endpoint, in the form the standard gives it."""

    def __init__(self, error: str, description: str, *, status: int = 400, headers: Any = ()) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status
        self.headers = headers


class TokenEndpoint:
    """POST /oauth2/token with the grants password (people), client_credentials (systems) and refresh_token."""

    def __init__(
        self, *, accounts: Accounts, issuer: Issuer, refresh: RefreshTokens, person_seconds: int, system_seconds: int
    ) -> None:
        self._accounts = accounts
        self._issuer = issuer
        self._refresh = refresh
        self._seconds = {"person": person_seconds, "system": system_seconds}

    async def __call__(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """Answers with a token, or with the error member the standard prescribes."""
        try:
            form = await _read_form(exchange)
            answer = await self._grant(exchange, form)
        except OAuthError as error:
            await self._refuse(exchange, error)
            return
        await exchange.send_data(answer)

    async def _refuse(self, exchange: Exchange, error: OAuthError) -> None:
        body = orjson.dumps({"error": error.error, "error_description": error.description})
        await exchange.send_json(body, error.status, ((b"cache-control", b"no-store"), *error.headers))

    async def _grant(self, exchange: Exchange, form: Mapping[str, str]) -> dict[str, Any]:
        kind = form.get("grant_type", "")
        if kind == "password":
            account = await self._sign_in("person", _need(form, "username"), _need(form, "password"))
            return await self._answer(account, await self._refresh.start(account.username))
        if kind == "client_credentials":
            client, secret = _client_credentials(exchange, form)
            return await self._answer(await self._sign_in("system", client, secret), "")
        if kind == "refresh_token":
            return await self._renew(_need(form, "refresh_token"))
        raise OAuthError("unsupported_grant_type", f"grant_type must be one of {', '.join(_GRANTS)}")

    async def _sign_in(self, kind: str, username: str, secret: str) -> Account:
        try:
            return await self._accounts.authenticate(kind=kind, username=username, secret=secret)
        except Problem as problem:
            if problem.status == 401 and kind == "system":
                headers = ((b"www-authenticate", b'Basic realm="binglian"'),)
                raise OAuthError("invalid_client", problem.detail, status=401, headers=headers) from None
            error = "temporarily_unavailable" if problem.status == 429 else "invalid_grant"
            status = 429 if problem.status == 429 else 400
            raise OAuthError(error, problem.detail, status=status, headers=problem.headers) from None

    async def _renew(self, token: str) -> dict[str, Any]:
        try:
            username, following = await self._refresh.exchange(token)
        except Problem as problem:
            raise OAuthError("invalid_grant", problem.detail) from None
        account = await self._accounts.get(username)
        if account is None:
            raise OAuthError("invalid_grant", "The account may not sign in any more.")
        return await self._answer(account, following)

    async def _answer(self, account: Account, refresh: str) -> dict[str, Any]:
        seconds = self._seconds[account.kind]
        token = await self._issuer.issue(account, seconds=seconds)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": seconds}
        return {**answer, "refresh_token": refresh} if refresh else answer


async def _read_form(exchange: Exchange) -> dict[str, str]:
    if not exchange.headers.get(b"content-type", b"").startswith(_FORM):
        raise OAuthError("invalid_request", f"The body must be {_FORM.decode()}.")
    try:
        fields = read_query((await exchange.body()).decode("latin-1"))
    except DecodeError as error:
        raise OAuthError("invalid_request", f"{error.field} {error.message}") from None
    repeated = [name for name, values in fields.items() if len(values) > 1]
    if repeated:
        raise OAuthError("invalid_request", f"{repeated[0]} is given more than once")
    return {name: values[0] for name, values in fields.items()}


def _need(form: Mapping[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]


def _client_credentials(exchange: Exchange, form: Mapping[str, str]) -> tuple[str, str]:
    """From HTTP Basic, which the standard prefers, or from the form."""
    scheme, _, encoded = exchange.header(b"authorization").partition(" ")
    if scheme.lower() != "basic":
        return _need(form, "client_id"), _need(form, "client_secret")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_request", "The authorization header is not HTTP Basic.") from None
    return unquote(client), unquote(secret)


class Published:
    """What anybody may know about the issuer."""

    def __init__(self, *, keys: SigningKeys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    async def jwks(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """GET /.well-known/jwks.json."""
        await exchange.send_json(orjson.dumps(await self._keys.jwks()), 200, _PUBLIC_CACHE)

    async def discovery(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """GET /.well-known/openid-configuration (OpenID Connect Discovery 1.0, as far as we are one)."""
        document = {
            "issuer": self._issuer,
            "token_endpoint": f"{self._issuer}/oauth2/token",
            "jwks_uri": f"{self._issuer}/.well-known/jwks.json",
            "grant_types_supported": list(_GRANTS),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "id_token_signing_alg_values_supported": ["EdDSA"],
            "subject_types_supported": ["public"],
            "response_types_supported": ["token"],
            "claims_supported": ["sub", "name", "roles", "area", "department", "purposes"],
        }
        await exchange.send_json(orjson.dumps(document), 200, _PUBLIC_CACHE)
