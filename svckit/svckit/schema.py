"""Brings the indexes of a service's collections to what its mongoengine documents declare, once the database answers."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from typing import Any

import mongoengine
from pymongo.errors import ConnectionFailure

from svckit.documents import INDEXES

_log = logging.getLogger("svckit.patience")
_LONGEST_PAUSE = 3.0
_ATTEMPT_MS = 2_000


def ensure_schema(*, uri: str, database: str, documents: Sequence[type[Any]]) -> None:
    """Creates missing indexes: those the documents declare and those every collection of aggregates has. Drops `retired_indexes`.

    `documents` are mongoengine Document classes. One attempt: raises pymongo.errors.ConnectionFailure while no primary answers.
    """
    client = mongoengine.connect(database, host=uri, serverSelectionTimeoutMS=_ATTEMPT_MS)
    try:
        client.admin.command("ping")
        for document in documents:
            # Ours first: MongoDB names the first index that refuses, and a repeated creation must be told from a taken key.
            rows = client[database][document._get_collection_name()]
            rows.create_indexes(list(INDEXES))
            _drop(rows, document._meta.get("retired_indexes", ()))
            document.ensure_indexes()
    finally:
        mongoengine.disconnect()


def _drop(rows: Any, names: Sequence[str]) -> None:
    """Drops indexes that earlier versions had; each costs every write."""
    present = {index["name"] for index in rows.list_indexes()}
    for name in present.intersection(names):
        rows.drop_index(name)


def ensure_schema_patiently(*, uri: str, database: str, documents: Sequence[type[Any]]) -> None:
    """Like `ensure_schema`, as often as it takes for the database to answer. For processes without an event loop."""
    for pause in pauses():
        try:
            ensure_schema(uri=uri, database=database, documents=documents)
            return
        except ConnectionFailure as error:
            say_waiting("the database", error)
            time.sleep(pause)


def pauses() -> Any:
    """Yields seconds to wait between attempts, growing to a few seconds, without end."""
    pause = 0.1
    while True:
        yield random.uniform(pause / 2, pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def say_waiting(what: str, error: Exception) -> None:
    """Logs that something this process needs is not there yet; the log lets it through once a minute."""
    _log.warning("waiting for %s: %s", what, type(error).__name__)
