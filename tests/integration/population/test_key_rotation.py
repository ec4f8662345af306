"""The key ring against a real database: one format with the driver's own encryption, rotation that can be stopped and goes on."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from typing import Any

import pytest
from bson.binary import Binary
from bson.codec_options import CodecOptions
from pymongo import MongoClient
from pymongo.encryption import Algorithm, ClientEncryption
from pymongo.errors import EncryptionError

from population.config import Settings
from population.privacy.cipher import decrypt
from population.privacy.keyring import as_uuid, kms_of, open_ring, open_vault
from population.privacy.rotation import Rotation, sealed_values
from population.vault import Vault, VaultError
from svckit.config import ConfigError

OLD, NEW = (base64.b64encode(os.urandom(32)).decode() for _ in range(2))


def settings(**fields: Any) -> Settings:
    return Settings(**{"mongo_uri": "m", "amqp_uri": "a", "field_key": OLD} | fields)


@pytest.fixture
def database(mongo_uri: str) -> Iterator[Any]:
    with MongoClient(mongo_uri, tz_aware=True) as client:
        yield client["t_key_rotation"]
        client.drop_database("t_key_rotation")


def residents(vault: Vault, numbers: range) -> list[dict[str, Any]]:
    def sealed(value: str, field: str, owner: str) -> dict[str, bytes]:
        secret = vault.seal(value, field=field, owner=owner)
        return {"cipher": secret.cipher, "index": secret.index}

    return [
        {
            "_id": f"r{n}",
            "id_number": sealed(f"id{n}", "id_number", f"r{n}"),
            "documents": [{"number": sealed(f"pass{n}", "id_number", f"r{n}")}],
        }
        for n in numbers
    ]


def test_the_driver_opens_what_the_vault_sealed_and_the_other_way_round(database: Any) -> None:
    vault, ring = open_vault(settings(), database), open_ring(settings(), database)
    key = ring.keys().sealing
    kms = kms_of(settings())
    with ClientEncryption(dict(kms.providers), f"{database.name}.key_vault", database.client, CodecOptions()) as driver:
        secret = vault.seal("11010519491231002X", field="id_number", owner="r1")
        assert driver.decrypt(Binary(secret.cipher, 6)).endswith(b"11010519491231002X")
        algorithm = Algorithm.AEAD_AES_256_CBC_HMAC_SHA_512_Random
        blob = driver.encrypt(Binary(b"by the driver"), algorithm, key_id=as_uuid(key.id))
        assert decrypt(key, bytes(blob)) == b"by the driver"


def test_a_rotation_that_was_stopped_goes_on_and_everything_is_found_meanwhile(database: Any) -> None:
    before = open_vault(settings(), database)
    database.residents.insert_many(residents(before, range(1200)))
    heard: list[str] = []

    def stop_after_the_first_batch(text: str) -> None:
        heard.append(text)
        if "looked at, " in text:
            raise KeyboardInterrupt

    def rotation(say: Any) -> Rotation:
        return Rotation(database, open_ring(settings(), database), collections=["residents"], say=say, announce_seconds=0)

    with pytest.raises(KeyboardInterrupt):
        rotation(stop_after_the_first_batch).run("all")
    assert heard[-1].startswith("residents: 500 of about 1200 looked at, 1000 values sealed")
    midway = open_vault(settings(), database)
    for n in (0, 1199):
        assert (
            database.residents.count_documents({"id_number.index": {"$in": midway.indexes(f"id{n}", field="id_number")}}) == 1
        )

    outcome = rotation(heard.append).run("data")
    assert (outcome.sealed, outcome.failed) == (2400, ())
    assert any("going on with the rotation of all" in text for text in heard)
    after = open_vault(settings(), database)
    assert len(after.indexes("id7", field="id_number")) == 1
    for row in database.residents.find():
        for path, secret in sealed_values(row):
            value = ("id" if path == "id_number" else "pass") + row["_id"][1:]
            assert after.is_current(secret["cipher"])
            assert secret["index"] == after.index(value, field="id_number")
            assert after.open(secret["cipher"], field="id_number", owner=row["_id"]) == value
            with pytest.raises(VaultError):
                before.open(secret["cipher"], field="id_number", owner=row["_id"])


def test_values_nobody_can_open_are_named_and_nothing_is_dropped(database: Any) -> None:
    vault = open_vault(settings(), database)
    stray = {"cipher": vault.seal("x", field="phone", owner="somebody else").cipher, "index": b"i"}
    database.residents.insert_one({"_id": "r1", "phone": stray})
    ring = open_ring(settings(), database)
    outcome = Rotation(database, ring, collections=["residents"], say=lambda _: None, announce_seconds=0).run("index")
    assert [each.partition(":")[0] for each in outcome.failed] == ["residents/r1/phone"]
    assert len(ring.keys().index_keys) == 2


def test_another_master_key_wraps_the_same_data_keys(database: Any) -> None:
    secret = open_vault(settings(), database).seal("1", field="phone", owner="r1")
    both = settings(field_key=NEW, field_keys_former=(OLD,))
    assert open_ring(both, database).rewrap() == 2
    vault = open_vault(settings(field_key=NEW), database)
    assert vault.open(secret.cipher, field="phone", owner="r1") == "1"
    assert vault.index("1", field="phone") == secret.index
    with pytest.raises(EncryptionError):
        open_vault(settings(), database)


def test_a_real_kms_is_a_matter_of_configuration(tmp_path: Any) -> None:
    file = tmp_path / "kms.json"
    file.write_text(
        '{"provider": "aws", "credentials": {"accessKeyId": "a", "secretAccessKey": "s"}, "master_key": {"key": "arn"}}'
    )
    kms = kms_of(settings(field_key="", kms_file=str(file)))
    assert (kms.provider, kms.master_key, list(kms.providers)) == ("aws", {"key": "arn"}, ["aws"])
    assert len(kms_of(settings(kms_file=str(file))).providers) == 2
    file.write_text("{}")
    with pytest.raises(ConfigError, match="BINGLIAN_KMS_FILE"):
        kms_of(settings(kms_file=str(file)))
