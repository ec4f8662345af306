"""Sign-in with the gateway as issuer, against a real MongoDB: tokens, refresh, locks, sessions, rotation, a foreign issuer."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt
import pytest
from pymongo import AsyncMongoClient

from gateway.auth.accounts import LOCK, MAX_FAILURES, Account
from gateway.config import GatewaySettings
from svckit.embedded import free_port
from svckit.tokens import KeySet, TokenVerifier
from tests.integration.gateway.conftest import CASE_ID, serving
from tests.issuer import Issuer

pytestmark = pytest.mark.integration
PASSWORD = "Right-horse-1"
ANNA = Account(username="anna", kind="person", name="安娜", roles=("DISPATCHER",), area="420502", purposes=("P04",))
FIRE = Account(username="dept-fire", kind="system", name="消防", roles=("DEPT_HANDLER",), area="4205", department="FIRE")


@pytest.fixture
async def door(mongo_uri: str, database_name: str, mediation: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway that issues its own tokens and knows Anna and the fire department."""
    port = free_port()
    settings = GatewaySettings(
        http_port=port,
        public_url=f"http://127.0.0.1:{port}",
        mongo_uri=mongo_uri,
        gateway_database=database_name,
        access_log=False,
        token_seconds=4,
    )
    async with serving(settings, f"127.0.0.1:{mediation.port}") as (process, url):
        await process.prepared
        accounts: Any = process.sign_in._accounts  # type: ignore[union-attr]
        for collection in (accounts._accounts, accounts._attempts):
            await collection.delete_many({})
        await accounts.put([ANNA, FIRE], secret=PASSWORD)
        async with httpx.AsyncClient(base_url=url, timeout=20) as client:
            client.process = process  # type: ignore[attr-defined]
            yield client


async def token(door: httpx.AsyncClient, **form: str) -> httpx.Response:
    return await door.post("/oauth2/token", data=form)


async def by_password(door: httpx.AsyncClient, password: str = PASSWORD, username: str = "anna") -> httpx.Response:
    return await token(door, grant_type="password", username=username, password=password)


async def test_services_accept_the_token_and_see_its_claims(door: httpx.AsyncClient) -> None:
    answer = (await by_password(door)).json()
    issuer = str(door.base_url).rstrip("/")
    verifier = TokenVerifier(keys=KeySet(url=f"{issuer}/.well-known/jwks.json"), issuer=issuer, audience="binglian")
    caller = await verifier.verify(f"Bearer {answer['access_token']}", "P04")
    assert (caller.subject, caller.name, caller.roles, caller.area) == ("anna", "安娜", {"DISPATCHER"}, "420502")
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 4)
    me = (await door.get("/auth/me", headers={"authorization": f"Bearer {answer['access_token']}"})).json()
    assert (me["sub"], me["roles"], me["purposes"]) == ("anna", ["DISPATCHER"], ["P04"])


@pytest.mark.parametrize("basic", [True, False])
async def test_a_system_signs_in_with_its_credentials(door: httpx.AsyncClient, basic: bool) -> None:
    form = {"grant_type": "client_credentials"}
    if basic:
        answer = await door.post("/oauth2/token", data=form, auth=("dept-fire", PASSWORD))
    else:
        answer = await token(door, **form, client_id="dept-fire", client_secret=PASSWORD)
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["department"], "refresh_token" in answer.json()) == ("dept-fire", "FIRE", False)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "anna"}, 400, "invalid_request"),
        ({"grant_type": "password", "username": "anna", "password": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": PASSWORD}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "dept-fire", "password": PASSWORD}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_id": "anna", "client_secret": PASSWORD}, 401, "invalid_client"),
        ({"grant_type": "refresh_token", "refresh_token": "made-up"}, 400, "invalid_grant"),
    ],
)
async def test_wrong_requests_for_tokens_get_the_standard_errors(
    door: httpx.AsyncClient, form: dict[str, str], status: int, error: str
) -> None:
    answer = await token(door, **form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


async def test_json_is_no_form(door: httpx.AsyncClient) -> None:
    answer = await door.post("/oauth2/token", json={"grant_type": "password"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_refresh_token_works_once_and_its_theft_ends_the_family(door: httpx.AsyncClient) -> None:
    first = (await by_password(door)).json()["refresh_token"]
    second = (await token(door, grant_type="refresh_token", refresh_token=first)).json()
    assert jwt.decode(second["access_token"], options={"verify_signature": False})["sub"] == "anna"
    again = await token(door, grant_type="refresh_token", refresh_token=first)
    assert again.status_code == 200  # the answer may have been lost: it works again for some seconds
    tokens = door.process.sign_in._refresh._tokens  # type: ignore[attr-defined]
    await tokens.update_many({}, [{"$set": {"used_at": {"$subtract": ["$used_at", 60_000]}}}])
    stolen = await token(door, grant_type="refresh_token", refresh_token=first)
    ended = await token(door, grant_type="refresh_token", refresh_token=second["refresh_token"])
    assert (stolen.status_code, ended.status_code) == (400, 400)


@pytest.mark.parametrize("username", ["anna", "nobody"])
async def test_five_failures_lock_a_name_whether_it_exists_or_not(door: httpx.AsyncClient, username: str) -> None:
    for _ in range(MAX_FAILURES):
        assert (await by_password(door, "wrong", username)).status_code == 400
    locked = await by_password(door, PASSWORD, username)
    assert (locked.status_code, locked.json()["error"]) == (429, "temporarily_unavailable")
    assert 0 < int(locked.headers["retry-after"]) <= LOCK.total_seconds() + 1
    assert (await door.post("/auth/login", json={"username": username, "password": PASSWORD})).status_code == 429


async def test_guesses_made_all_at_once_are_counted_too(door: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(by_password(door, "wrong", "hurried") for _ in range(20)))
    assert [answer.status_code for answer in answers].count(400) <= MAX_FAILURES + 1  # the two that are hashed at once


async def test_what_was_typed_as_a_name_is_not_kept_in_clear(door: httpx.AsyncClient) -> None:
    await by_password(door, "wrong", "13987654321")
    attempts = door.process.sign_in._accounts._attempts  # type: ignore[attr-defined]
    rows = [row async for row in attempts.find()]
    assert len(rows) == 1
    assert "13987654321" not in str(rows)


async def test_a_name_too_long_for_anybody_leaves_little_behind(door: httpx.AsyncClient) -> None:
    assert (await by_password(door, "wrong", "x" * 100_000)).status_code == 400
    attempts = door.process.sign_in._accounts._attempts  # type: ignore[attr-defined]
    assert max([len(row["_id"]) async for row in attempts.find()]) < 300


async def test_cookies_that_are_no_session_take_no_memory(door: httpx.AsyncClient) -> None:
    for length in (5_000, 20_000):
        answer = await door.get("/auth/me", headers={"cookie": f"binglian_session={'x' * length}"})
        assert answer.status_code == 401
    begun = door.process.sign_in._sessions._begun  # type: ignore[attr-defined]
    assert all(len(token) < 5_000 for token in begun)


async def test_a_success_forgets_the_failures_before_it(door: httpx.AsyncClient) -> None:
    for _ in range(3):
        for _ in range(MAX_FAILURES - 1):
            await by_password(door, "wrong")
        assert (await by_password(door)).status_code == 200


async def test_an_unknown_name_takes_as_long_as_a_wrong_password(door: httpx.AsyncClient) -> None:
    async def seconds(username: str) -> float:
        begun = time.perf_counter()
        await by_password(door, "wrong", username)
        return time.perf_counter() - begun

    known = sorted([await seconds("anna") for _ in range(4)])[1]
    unknown = sorted([await seconds("nobody") for _ in range(4)])[1]
    assert 0.4 < known / unknown < 2.5


# ---------------------------------------------------------------------------------------------------- sessions


async def login(door: httpx.AsyncClient) -> httpx.Response:
    return await door.post("/auth/login", json={"username": "anna", "password": PASSWORD})


async def test_a_session_cookie_stands_for_the_token(door: httpx.AsyncClient, mediation: Any) -> None:
    answer = await login(door)
    assert answer.json()["name"] == "安娜"
    cookie = answer.headers["set-cookie"]
    assert all(flag in cookie for flag in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=4"))
    assert (await door.get("/auth/me")).json()["sub"] == "anna"
    await door.get(f"/v1/cases/{CASE_ID}")
    assert mediation.metadata["authorization"].startswith("Bearer ey")
    assert "cookie" not in mediation.metadata


async def test_changes_by_cookie_need_a_sign_that_they_are_ours(door: httpx.AsyncClient) -> None:
    await login(door)
    bare = await door.post("/v1/cases", json={})
    foreign = await door.post("/v1/cases", json={}, headers={"origin": "https://evil.example"})
    marked = await door.post("/v1/cases", json={}, headers={"x-requested-with": "binglian"})
    own = await door.post("/v1/cases", json={}, headers={"origin": str(door.base_url).rstrip("/")})
    assert [answer.status_code for answer in (bare, foreign, marked, own)] == [403, 403, 200, 200]
    assert bare.json()["reason"] == "CSRF"


async def test_an_active_session_is_prolonged_an_idle_one_ends(door: httpx.AsyncClient) -> None:
    first = (await login(door)).cookies["binglian_session"]
    assert "set-cookie" not in (await door.get("/auth/me")).headers
    await asyncio.sleep(2.2)
    renewed = await door.get("/auth/me")
    assert renewed.status_code == 200
    assert renewed.cookies["binglian_session"] != first
    door.cookies.clear()
    assert (await door.get("/auth/me", headers={"cookie": "a=b; binglian_session=x.y.z"})).status_code == 401


async def test_a_session_ends_with_its_account(door: httpx.AsyncClient) -> None:
    await login(door)
    accounts = door.process.sign_in._accounts._accounts  # type: ignore[attr-defined]
    await accounts.update_one({"_id": "anna"}, {"$set": {"disabled": True}})
    await asyncio.sleep(2.2)
    assert "set-cookie" not in (await door.get("/auth/me")).headers
    door.cookies.clear()
    assert (await login(door)).status_code == 401


async def test_logout_takes_the_cookie_away(door: httpx.AsyncClient) -> None:
    await login(door)
    answer = await door.post("/auth/logout", headers={"x-requested-with": "binglian"})
    assert answer.status_code == 204
    assert (await door.get("/auth/me")).status_code == 401


@pytest.mark.parametrize("body", [b"[]", b'{"username": "anna"}', b'{"username": "anna", "password": 1}', b"{"])
async def test_a_broken_login_is_a_bad_request(door: httpx.AsyncClient, body: bytes) -> None:
    assert (await door.post("/auth/login", content=body, headers={"content-type": "application/json"})).status_code == 400


# ---------------------------------------------------------------------------------------------------- keys, other issuers


async def test_a_rotated_key_signs_while_the_old_one_still_counts(door: httpx.AsyncClient) -> None:
    old = (await by_password(door)).json()["access_token"]
    await door.process.sign_in.keys.rotate()  # type: ignore[attr-defined]
    new = (await by_password(door)).json()["access_token"]
    kids = {key["kid"] for key in (await door.get("/.well-known/jwks.json")).json()["keys"]}
    assert {jwt.get_unverified_header(text)["kid"] for text in (old, new)} == kids
    assert len(kids) == 2
    for text in (old, new):
        assert (await door.get("/auth/me", headers={"authorization": f"Bearer {text}"})).status_code == 200


async def test_without_its_database_tokens_are_still_checked(door: httpx.AsyncClient) -> None:
    issued = (await by_password(door)).json()["access_token"]
    keys = door.process.sign_in.keys  # type: ignore[attr-defined]
    nowhere: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient("mongodb://127.0.0.1:1", serverSelectionTimeoutMS=100)
    keys._keys_stored, keys._read_at = nowhere["gone"]["keys"], float("-inf")
    assert (await door.get("/.well-known/jwks.json")).status_code == 200
    assert (await door.get("/auth/me", headers={"authorization": f"Bearer {issued}"})).status_code == 200
    await nowhere.close()


async def test_two_processes_share_their_keys(door: httpx.AsyncClient, mediation: Any) -> None:
    settings = door.process._settings  # type: ignore[attr-defined]
    another = dataclasses.replace(settings, http_port=free_port())
    async with serving(another, "127.0.0.1:1") as (_, url), httpx.AsyncClient(base_url=url) as other:
        there = (await other.get("/.well-known/jwks.json")).json()
    assert there == (await door.get("/.well-known/jwks.json")).json()


async def test_demo_accounts_cover_people_and_every_department(mongo_uri: str, database_name: str, mediation: Any) -> None:
    settings = GatewaySettings(
        http_port=free_port(), mongo_uri=mongo_uri, gateway_database=database_name, demo_users=True, access_log=False
    )
    async with serving(settings, f"127.0.0.1:{mediation.port}") as (process, url):
        await process.prepared
        async with httpx.AsyncClient(base_url=url, timeout=20) as door:
            for username in ("worker", "dispatcher", "importer", "la-importer", "la-checker"):
                assert (await by_password(door, settings.demo_password, username)).status_code == 200
            for client in ("dept-fire", "dept-util-water", "dept-prop"):
                form = {"grant_type": "client_credentials", "client_id": client, "client_secret": settings.demo_password}
                assert (await token(door, **form)).status_code == 200
            assert (await door.get("/auth/demo")).json() == {"username": "dispatcher", "password": settings.demo_password}


async def test_without_demo_accounts_none_is_named(door: httpx.AsyncClient) -> None:
    answer = await door.get("/auth/demo")
    assert (answer.status_code, answer.json()) == (200, {})


async def test_with_a_foreign_issuer_there_is_no_login_here(client: httpx.AsyncClient, issuer: Issuer) -> None:
    assert (await client.post("/oauth2/token", data={})).status_code == 404
    assert (await client.post("/auth/login", json={})).status_code == 404
    me = await client.get("/auth/me", headers={"authorization": f"Bearer {issuer.token(sub='u7')}"})
    assert me.json()["sub"] == "u7"
    refused = await client.get("/auth/me")
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer realm="binglian"')
