"""Sealed numbers."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from population.config import Settings
from population.domain.secret import Secret
from population.vault import FieldKeys, Vault, VaultError, derived
from svckit.config import ConfigError

KEY = bytes(range(32))
VAULT = Vault(FieldKeys.of(KEY))


@given(st.text(max_size=40), st.sampled_from(["id_number", "phone"]))
def test_what_is_sealed_opens_again_and_never_shows(value: str, field: str) -> None:
    secret = VAULT.seal(value, field=field, owner="r1")
    assert VAULT.open(secret.cipher, field=field, owner="r1") == value
    assert len(value) < 4 or value.encode() not in secret.cipher + secret.index


def test_equal_values_have_equal_indexes_and_different_ciphers() -> None:
    one, other = (VAULT.seal("11010519491231002X", field="id_number", owner=owner) for owner in ("r1", "r2"))
    assert one.index == other.index == VAULT.index("11010519491231002X", field="id_number")
    assert one.cipher != other.cipher


def test_the_index_depends_on_field_and_key() -> None:
    value = "100200300"
    assert VAULT.index(value, field="phone") != VAULT.index(value, field="id_number")
    assert VAULT.index(value, field="phone") != Vault(FieldKeys.of(os.urandom(32))).index(value, field="phone")


def tampered(secret: Secret) -> bytes:
    return secret.cipher[:-1] + bytes([secret.cipher[-1] ^ 1])


@pytest.mark.parametrize(
    "opening",
    [
        lambda s: VAULT.open(s.cipher, field="phone", owner="r1"),
        lambda s: VAULT.open(s.cipher, field="id_number", owner="r2"),
        lambda s: VAULT.open(tampered(s), field="id_number", owner="r1"),
        lambda s: VAULT.open(b"\x09" + s.cipher[1:], field="id_number", owner="r1"),
        lambda s: Vault(FieldKeys.of(os.urandom(32))).open(s.cipher, field="id_number", owner="r1"),
    ],
    ids=["other field", "other owner", "changed", "other version", "other key"],
)
def test_nothing_else_opens_it(opening: object) -> None:
    secret = VAULT.seal("11010519491231002X", field="id_number", owner="r1")
    with pytest.raises(VaultError):
        opening(secret)  # type: ignore[operator]


def settings(**fields: str) -> Settings:
    return Settings(mongo_uri="m", amqp_uri="a", **fields)  # type: ignore[arg-type]


def test_the_key_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    text = base64.b64encode(KEY).decode()
    file = tmp_path / "key"
    file.write_text(text + "\n")
    assert settings(field_key=text).key() == settings(field_key_file=str(file)).key() == KEY
    assert text not in repr(settings(field_key=text))


@pytest.mark.parametrize("fields", [{}, {"field_key": "c2hvcnQ="}, {"field_key": "***"}, {"field_key_file": "/nowhere/key"}])
def test_without_a_good_key_there_is_no_service(fields: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        settings(**fields).key()


def test_what_the_first_releases_sealed_still_opens() -> None:
    nonce = bytes(12)
    cipher = AESGCM(derived(KEY, b"binglian field cipher v1", 32)).encrypt(nonce, b"13800138000", b"phone\0r1")
    assert VAULT.open(b"\x01" + nonce + cipher, field="phone", owner="r1") == "13800138000"
    assert not VAULT.is_current(b"\x01" + nonce + cipher)
    with pytest.raises(VaultError):
        VAULT.open(b"\x01" + nonce + cipher, field="phone", owner="r2")


def test_values_are_found_by_either_index_while_an_index_key_is_rotated() -> None:
    keys = FieldKeys.of(KEY)
    rotating = Vault(msgspec.structs.replace(keys, index_keys=(os.urandom(32), *keys.index_keys)))
    assert VAULT.index("1", field="phone") == rotating.indexes("1", field="phone")[1]
    secret = rotating.seal("1", field="phone", owner="r1")
    assert rotating.indexes_of(secret, field="phone", owner="r1") == rotating.indexes("1", field="phone")
    assert secret.index == rotating.indexes("1", field="phone")[0]
    assert VAULT.indexes_of(secret, field="phone", owner="r1") == [secret.index]


def test_a_rotation_looks_into_every_collection_that_may_hold_sealed_values() -> None:
    from population.privacy.rotation import holds_sealed
    from population.store import DOCUMENTS

    swept = {document._get_collection_name() for document in DOCUMENTS if holds_sealed(document)}
    assert {"residents", "merges", "field_ledgers", "welfare_watches"} <= swept
    assert not swept & {"audit_entries", "households", "job_parts"}
