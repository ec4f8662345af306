"""The audit trail: who saw or changed whose data, when, from where and what for. Entries are chained; none is ever changed. Pure.

Every process writes a chain of its own: entry by entry, each with an HMAC-SHA-256 over the digest before it and all it says, with a key
from the key ring. Whoever can write to the database but has no key cannot alter, remove, insert or move an entry unseen. Anchors, a
chain of their own, keep the heads of all chains every few seconds, so that entries cannot be cut off at an end either.
"""

from __future__ import annotations

import csv
import functools
import hmac
import importlib.resources
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

REVEAL, SEARCH, BULK, CHANGE = "AE03", "AE04", "AE05", "AE06"
OUT_OF_SCOPE, SHARING, DOWNLOAD, AUDIT_READ, RIGHTS, BREAK_GLASS = "AE07", "AE12", "AE13", "AE15", "AE16", "AE18"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `event` is a code of audit_event.csv, `residents` are ids of people concerned (at most 200), `count` how many in all.

    `rpc` is what was called ("ResidentService/GetResident"), or the job that did it. `number` counts from 1 in its chain.
    """

    chain: str
    number: int
    at: datetime
    event: str
    subject: str
    rpc: str
    name: str = ""
    roles: tuple[str, ...] = ()
    area: str = ""
    department: str = ""
    purpose: str = ""
    residents: tuple[str, ...] = ()
    count: int = 0
    note: str = ""
    digest: str = ""

    @property
    def entry_id(self) -> str:
        """Id of the stored entry: entries of a chain sort by it."""
        return entry_id(self.chain, self.number)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where a chain stood."""

    chain: str
    number: int
    digest: str


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The heads of the chains that grew since the anchor before, number 1 being the first."""

    number: int
    at: datetime
    heads: tuple[Head, ...]
    digest: str = ""


class Flaw(msgspec.Struct, frozen=True):
    """Something that is not as it was written."""

    place: str
    why: str


def entry_id(chain: str, number: int) -> str:
    """Returns the id of an entry."""
    return f"{chain}:{number:09d}"


@functools.cache
def events() -> Mapping[str, Mapping[str, str]]:
    """Returns audit_event.csv by code."""
    text = importlib.resources.files("population").joinpath("codes", "audit_event.csv").read_text(encoding="utf-8")
    return {row["code"]: row for row in csv.DictReader(text.splitlines())}


def seal(key: bytes, previous: str, entry: Entry) -> Entry:
    """Returns the entry with the digest it has after `previous` (the digest before it, for the first one its chain)."""
    return replace(entry, digest=_digest(key, previous, entry))


def seal_anchor(key: bytes, previous: str, anchor: Anchor) -> Anchor:
    """Returns the anchor with the digest it has after `previous` ("" for the first)."""
    return replace(anchor, digest=_digest(key, previous, anchor))


def verify_chain(key: bytes, entries: Iterable[Entry], *, trimmed: Head | None = None) -> Flaw | None:
    """Returns the first flaw of the entries of one chain, in order; `trimmed` is the last one that retention removed."""
    number, previous = (trimmed.number, trimmed.digest) if trimmed else (0, "")
    for entry in entries:
        number += 1
        if entry.number != number:
            return Flaw(entry_id(entry.chain, number), "this entry is missing")
        if not hmac.compare_digest(entry.digest, _digest(key, previous or entry.chain, entry)):
            return Flaw(entry.entry_id, "this entry was altered, or what stood before it")
        previous = entry.digest
    return None


def verify_anchors(
    key: bytes, anchors: Iterable[Anchor], digests: Mapping[str, str], trimmed: Mapping[str, int]
) -> Flaw | None:
    """Returns the first flaw of the anchors, in order, or of a chain that no longer reaches what an anchor saw.

    `digests` are those of the entries the anchors name, by id; `trimmed` says up to which number retention removed a chain.
    """
    previous = ""
    for number, anchor in enumerate(anchors, 1):
        if anchor.number != number or not hmac.compare_digest(anchor.digest, _digest(key, previous, anchor)):
            return Flaw(f"anchor {number}", "this anchor is missing or was altered")
        previous = anchor.digest
        for head in anchor.heads:
            id = entry_id(head.chain, head.number)
            if head.number > trimmed.get(head.chain, 0) and digests.get(id) != head.digest:
                return Flaw(id, "this entry was there once and is not any more")
    return None


def _digest(key: bytes, previous: str, said: Entry | Anchor) -> str:
    fields: list[Any] = [previous]
    for name in said.__struct_fields__:
        value = getattr(said, name)
        if name != "digest":
            fields.append((value - _EPOCH) // _MILLISECOND if isinstance(value, datetime) else value)
    return hmac.digest(key, msgspec.json.encode(fields), "sha256").hex()
