"""Tokens against keys fetched over real HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from svckit.errors import ServiceError
from svckit.tokens import KeySet, TokenVerifier
from tests.issuer import Issuer, running_issuer


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with running_issuer() as made:
        yield made


@pytest.fixture
def verifier(issuer: Issuer) -> TokenVerifier:
    return TokenVerifier(keys=KeySet(url=issuer.url, pause=0.05), issuer="binglian", audience="binglian", capacity=3)


async def refusal(verifier: TokenVerifier, authorization: str) -> str:
    with pytest.raises(ServiceError) as caught:
        await verifier.verify(authorization, "")
    return caught.value.reason


async def test_a_good_token_names_the_caller(verifier: TokenVerifier, issuer: Issuer) -> None:
    caller = await verifier.verify(f"Bearer {issuer.token(department='FIRE')}", "P04")
    assert (caller.subject, caller.name, caller.area, caller.department) == ("u1", "测试", "4205", "FIRE")
    assert (caller.roles, caller.purposes, caller.purpose) == ({"DISPATCHER"}, {"P04"}, "P04")


async def test_rsa_issuers_work_too(verifier: TokenVerifier, issuer: Issuer) -> None:
    issuer.add_key("rsa", kind="RS256")
    assert (await verifier.verify(f"bearer {issuer.token(key_id='rsa')}", "")).subject == "u1"


async def test_each_bad_token_has_its_reason(verifier: TokenVerifier, issuer: Issuer) -> None:
    stranger = ed25519.Ed25519PrivateKey.generate()
    public = issuer.public_bytes("one")
    cases = {
        "": "TOKEN_MISSING",
        "Basic x": "TOKEN_MISSING",
        "Bearer nonsense": "TOKEN_INVALID",
        f"Bearer {issuer.token(exp=time.time() - 60)}": "TOKEN_EXPIRED",
        f"Bearer {issuer.token(iss='other')}": "TOKEN_INVALID",
        f"Bearer {issuer.token(aud='other')}": "TOKEN_INVALID",
        f"Bearer {issuer.token(exp=None)}": "TOKEN_INVALID",
        f"Bearer {issuer.token(sub=None)}": "TOKEN_INVALID",
        f"Bearer {issuer.token(roles='ADMIN')}": "TOKEN_INVALID",
        f"Bearer {issuer.token(key=stranger)}": "TOKEN_INVALID",
        f"Bearer {issuer.token(key_id='two', key=stranger)}": "KEY_UNKNOWN",
        f"Bearer {jwt.encode({'sub': 'u'}, None, algorithm='none', headers={'kid': 'one'})}": "TOKEN_INVALID",
        f"Bearer {jwt.encode({'sub': 'u'}, public, algorithm='HS256', headers={'kid': 'one'})}": "TOKEN_INVALID",
    }
    assert {token: await refusal(verifier, token) for token in cases} == cases


async def test_new_keys_are_fetched_when_a_token_names_them(verifier: TokenVerifier, issuer: Issuer) -> None:
    await verifier.verify(f"Bearer {issuer.token()}", "")
    issuer.add_key("two")
    await asyncio.sleep(0.06)
    await verifier.verify(f"Bearer {issuer.token(key_id='two')}", "")
    assert issuer.fetches == 2


async def test_invented_key_ids_do_not_hammer_the_issuer(issuer: Issuer) -> None:
    verifier = TokenVerifier(keys=KeySet(url=issuer.url, pause=60), issuer="binglian", audience="binglian")
    stranger = ed25519.Ed25519PrivateKey.generate()
    tokens = [f"Bearer {issuer.token(key_id=f'k{number}', key=stranger)}" for number in range(20)]
    assert set(await asyncio.gather(*(refusal(verifier, token) for token in tokens))) == {"KEY_UNKNOWN"}
    assert issuer.fetches == 1


async def test_an_issuer_that_comes_late_is_waited_for(verifier: TokenVerifier, issuer: Issuer) -> None:
    issuer.down = True
    token = f"Bearer {issuer.token()}"
    assert await refusal(verifier, token) == "KEYS_UNAVAILABLE"
    issuer.down = False
    await asyncio.sleep(0.06)
    assert (await verifier.verify(token, "")).subject == "u1"
    issuer.down = True
    assert (await verifier.verify(f"Bearer {issuer.token(sub='u2')}", "")).subject == "u2"


async def test_an_issuer_that_hangs_keeps_one_caller_waiting_not_all(issuer: Issuer) -> None:
    keys = KeySet(url=issuer.url, max_age=0, pause=0.05, timeout=0.3)
    verifier = TokenVerifier(keys=keys, issuer="binglian", audience="binglian")
    await verifier.verify(f"Bearer {issuer.token()}", "")
    await asyncio.sleep(0.06)
    issuer.pause = 1.0
    begun = time.perf_counter()
    await asyncio.gather(*(verifier.verify(f"Bearer {issuer.token(sub=f'u{number}')}", "") for number in range(10)))
    assert time.perf_counter() - begun < 1.0


async def test_callers_that_need_an_unknown_key_share_one_fetch_from_an_issuer_that_hangs(issuer: Issuer) -> None:
    verifier = TokenVerifier(keys=KeySet(url=issuer.url, pause=0.2, timeout=0.3), issuer="binglian", audience="binglian")
    issuer.pause = 1.0
    begun = time.perf_counter()
    reasons = await asyncio.gather(*(refusal(verifier, f"Bearer {issuer.token(sub=f'u{number}')}") for number in range(10)))
    assert set(reasons) == {"KEYS_UNAVAILABLE"}
    assert time.perf_counter() - begun < 1.0


async def test_verified_tokens_are_remembered_until_they_expire(verifier: TokenVerifier, issuer: Issuer) -> None:
    token = f"Bearer {issuer.token(exp=time.time() + 1.2)}"
    assert verifier.remembered(token, "") is None
    caller = await verifier.verify(token, "")
    assert verifier.remembered(token, "") is caller
    assert verifier.remembered(token, "P04") is None
    await asyncio.sleep(1.3)
    assert verifier.remembered(token, "") is None


async def test_only_so_many_are_remembered(verifier: TokenVerifier, issuer: Issuer) -> None:
    tokens = [f"Bearer {issuer.token(sub=f'u{number}')}" for number in range(5)]
    for token in tokens:
        await verifier.verify(token, "")
    assert [verifier.remembered(token, "") is not None for token in tokens] == [False, False, True, True, True]
