"""Facts of many people in one document: an import writes one for dozens of people, and the relay clears it with one update.

The relay publishes from it exactly what it would from the documents of the people: every fact names its own subject.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from mongoengine import DateTimeField, Document, StringField
from pymongo.collection import Collection

from svckit.ids import new_id

COLLECTION = "fact_bundles"
AT_ONCE = 64
"""Subjects whose facts lie in one bundle: the relay reads 500 bundles at a time."""
Raw = dict[str, Any]


class FactBundleDocument(Document):
    """Bundles by id; what waits in them is found by the index every collection of aggregates has."""

    meta: ClassVar[dict[str, Any]] = {"collection": COLLECTION, "auto_create_index": False, "strict": False}
    bundle_id = StringField(primary_key=True)
    created_at = DateTimeField(required=True)


def waiting_fact(*, type: str, data: bytes, subject: str, now: dt.datetime) -> Raw:
    """Returns a fact as it waits for the relay, outside any trace."""
    return {"id": new_id(), "type": type, "time": now, "subject": subject, "data": data, "traceparent": ""}


def bundles_of(facts: Sequence[Sequence[Raw]], *, now: dt.datetime) -> Iterator[Raw]:
    """Yields the documents that carry facts, given by subject: those of one subject stay together, in their order."""
    for at in range(0, len(facts), AT_ONCE):
        waiting = [fact for of_one in facts[at : at + AT_ONCE] for fact in of_one]
        if waiting:
            yield {"_id": new_id(), "created_at": now, "revision": 1, "outbox": waiting}


def remove_empty(bundles: Collection[Raw]) -> None:
    """Removes the bundles whose facts are out."""
    bundles.delete_many({"outbox": []})


def told(bundles: Iterable[Raw]) -> int:
    """Returns how many facts some bundles carry."""
    return sum(len(bundle["outbox"]) for bundle in bundles)
