"""What must never be stored about people is in no contract, no document and no code table.

restricted.csv has one row per line of the list of excluded and restricted categories: the beginnings of words that would name such
a field, and the terms a code table would use. A restricted category that is one day allowed under its condition is taken out there.
"""

from __future__ import annotations

import csv
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor
from mongoengine.base import BaseDocument

from svckit.grpc_server import all_services

ROOT = Path(__file__).parents[2]
PACKAGES = ("assessment", "fire_safety", "housing", "mediation", "population")
with (Path(__file__).parent / "restricted.csv").open(encoding="utf-8", newline="") as file:
    RESTRICTED = list(csv.DictReader(file))


def names_of_contracts() -> Iterator[str]:
    """Every field and enum value a client can see, and every field of an event."""
    seen: set[str] = set()
    for name in all_services():
        for method in descriptor_pool.Default().FindServiceByName(name).methods:
            yield from _names_of_message(method.input_type, seen)
            yield from _names_of_message(method.output_type, seen)
    for package in PACKAGES:
        for message in importlib.import_module(f"binglian.{package}.v1.events_pb2").DESCRIPTOR.message_types_by_name.values():
            yield from _names_of_message(message, seen)


def _names_of_message(message: Descriptor, seen: set[str]) -> Iterator[str]:
    if message.full_name in seen:
        return
    seen.add(message.full_name)
    yield message.name
    for field in message.fields:
        yield field.name
        if field.message_type:
            yield from _names_of_message(field.message_type, seen)
        if field.enum_type:
            yield from _names_of_enum(field.enum_type)


def _names_of_enum(enum: EnumDescriptor) -> Iterator[str]:
    yield enum.name
    yield from (value.name for value in enum.values)


def names_of_documents() -> Iterator[str]:
    """Every field of every document, and every field of the structs documents are written from."""
    for package in PACKAGES:
        for document in _all_in(f"{package}.store", BaseDocument):
            yield from getattr(document, "_fields", ())
        for struct in _all_in(f"{package}.domain", msgspec.Struct):
            yield from struct.__struct_fields__


def _all_in(name: str, kind: type) -> Iterator[Any]:
    """The classes of a kind in a module, or in all modules of a package."""
    package = importlib.import_module(name)
    parts = [importlib.import_module(f"{name}.{info.name}") for info in pkgutil.iter_modules(getattr(package, "__path__", ()))]
    for module in (package, *parts):
        yield from (one for one in vars(module).values() if isinstance(one, type) and issubclass(one, kind))


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


NAMES = {snake(name) for name in (*names_of_contracts(), *names_of_documents())}
TABLES = sorted(ROOT.glob("svc-*/*/codes/*.csv"))


def row_id(row: dict[str, Any]) -> str:
    return str(row["code"])


def test_the_list_is_whole_and_is_held_against_everything() -> None:
    assert [row["code"] for row in RESTRICTED] == [str(code) for code in range(9001, 9021)]
    assert {"id_number", "case_id", "unified_reply", "join_policy", "tenure"} <= NAMES
    assert len(TABLES) > 10


@pytest.mark.parametrize("row", RESTRICTED, ids=row_id)
def test_no_field_and_no_enum_is_for_it(row: dict[str, str]) -> None:
    word = re.compile(rf"(?:^|_)(?:{row['words']})")
    assert [name for name in sorted(NAMES) if word.search(name)] == [], row["zh"]


@pytest.mark.parametrize("row", RESTRICTED, ids=row_id)
def test_no_code_table_has_a_value_for_it(row: dict[str, str]) -> None:
    found = [
        f"{table.relative_to(ROOT)}: {line}"
        for table in TABLES
        for line in table.read_text("utf-8").splitlines()
        if re.search(row["terms"], line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "code"), [("risk_score", "9008"), ("religion", "9019"), ("facial_image", "9009"), ("HIV_STATUS", "9007")]
)
def test_a_field_for_it_would_be_found(name: str, code: str) -> None:
    row = next(row for row in RESTRICTED if row["code"] == code)
    assert re.search(rf"(?:^|_)(?:{row['words']})", snake(name) if not name.isupper() else name.lower())
