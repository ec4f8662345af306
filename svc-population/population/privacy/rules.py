"""The rules of retention.yaml: what must go when, what forbids erasing, and where else a person is named."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import yaml


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes `days` after the time in `after`: `action` is anonymise (residents), clear, remove, trim (audit) or forget (ledgers)."""

    purpose: str
    basis: str
    collection: str
    action: str
    days: int
    after: str = ""
    clear: tuple[str, ...] = ()
    only: dict[str, Any] = {}


class Duty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A duty to keep: it holds while a document of `collection` that names the person (field `by`) fulfils `condition`."""

    law: str
    collection: str
    by: str
    condition: dict[str, Any] = msgspec.field(name="while")


class Holding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A collection that names people in the fields `by`; erasing a person clears some fields there, or removes the documents.

    `tells` are the paths a copy for the person holds; whatever else is stored stays out of it, also what is added later.
    """

    by: tuple[str, ...]
    action: str
    tells: tuple[str, ...]
    clear: tuple[str, ...] = ()


def naming(holding: Holding, ids: Collection[str]) -> dict[str, Any]:
    """Returns the condition that a document of a holding names one of these people."""
    return {"$or": [{field: {"$in": list(ids)}} for field in holding.by]}


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of retention.yaml; `register` is what a copy tells of residents."""

    rules: Mapping[str, Rule]
    duties: Mapping[str, Duty]
    register: tuple[str, ...]
    holdings: Mapping[str, Holding]


@functools.cache
def rules() -> Rules:
    """Returns the rules that are shipped with the service."""
    text = importlib.resources.files("population").joinpath("codes", "retention.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Rules)
