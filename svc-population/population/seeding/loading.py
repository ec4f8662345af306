"""Writes made-up people into the database: several processes make and insert blocks, indexes are built at the end."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from itertools import islice
from typing import Any, TypeVar

from pymongo import IndexModel, MongoClient, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database

from population.config import CommandSettings
from population.privacy.keyring import open_vault, sync_database
from population.seeding.documents import SUBJECT, Raw, Writer
from population.seeding.places import Block, blocks
from population.store import DOCUMENTS
from population.vault import Vault
from svckit.config import ConfigError, from_env
from svckit.embedded import end_with_parent
from svckit.schema import ensure_schema

T = TypeVar("T")

AT_ONCE = 1_000
"""Documents of one insert."""
_COLLECTIONS = ("residents", "households")
_FAST = WriteConcern(w=1, j=False)
"""Whoever pulls the plug meanwhile begins again: made-up people are no loss."""


def main(arguments: Sequence[str]) -> int:
    """Runs `python -m population seed`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m population seed", description="fills the register with made-up people")
    parser.add_argument("--residents", type=int, default=20_000, help="how many (default 20,000)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    try:
        seed(from_env(CommandSettings), residents=options.residents, processes=options.processes)
    except (ConfigError, ValueError) as error:
        sys.exit(f"seed: {error}")
    return 0


def seed(settings: CommandSettings, *, residents: int, processes: int) -> None:
    """Replaces the made-up people there are by `residents` others, the same every time.

    Raises ValueError when there are people who were not made up: nobody's register is touched.
    """
    wanted = blocks(residents)
    database = sync_database(settings)
    _check_no_others(database)
    open_vault(settings, database)  # the first to open it makes the keys; the processes must find the same ones
    for name in _COLLECTIONS:
        database.drop_collection(name)
        database.create_collection(name)
    began = time.monotonic()
    context = multiprocessing.get_context("spawn")  # a fork would share the sockets of the clients
    with futures.ProcessPoolExecutor(processes, mp_context=context, initializer=end_with_parent) as pool:
        jobs = [pool.submit(_write, block, settings) for block in wanted]
        done = 0
        for job in futures.as_completed(jobs):
            done += job.result()
            _say(done, residents, time.monotonic() - began)
    _build_indexes(settings, database)
    seconds = time.monotonic() - began
    sys.stderr.write(f"{residents:,} residents in {seconds:.0f} s, {residents / seconds:,.0f} a second with all indexes\n")


def _check_no_others(database: Database[Raw]) -> None:
    others = {"created_by.key": {"$not": {"$regex": f"^{SUBJECT}:"}}}
    for name in _COLLECTIONS:
        rows = database[name]
        # Without an index on it a look through millions would take minutes: the oldest and the newest say enough.
        for order in (1, -1):
            row = rows.find_one({}, {"created_by": True}, sort=[("_id", order)])
            if row and not str(row.get("created_by", {}).get("key", "")).startswith(f"{SUBJECT}:"):
                raise ValueError(f"{database.name}.{name} holds people who were not made up; use another database")
        if rows.estimated_document_count() < 100_000 and rows.find_one(others):
            raise ValueError(f"{database.name}.{name} holds people who were not made up; use another database")


_vaults: dict[str, tuple[Vault, MongoClient[Raw]]] = {}
"""Of this process, by database: opened with the first block."""


def _write(block: Block, settings: CommandSettings) -> int:
    """Makes and inserts one block; runs in a process of its own. Returns how many residents it has."""
    if settings.mongo_uri not in _vaults:
        _vaults[settings.mongo_uri] = open_vault(settings, sync_database(settings)), sync_database(settings).client
    vault, client = _vaults[settings.mongo_uri]
    database = client[settings.mongo_database or "binglian_population"]
    writer = Writer(block, vault)
    _insert(database.get_collection("households", write_concern=_FAST), writer.households())
    _insert(database.get_collection("residents", write_concern=_FAST), writer.residents())
    return block.people


def _insert(rows: Collection[Raw], documents: Iterable[Raw]) -> None:
    for some in _chunks(documents, AT_ONCE):
        rows.insert_many(some, ordered=False)


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while some := list(islice(iterator, size)):
        yield some


def _build_indexes(settings: CommandSettings, database: Database[Raw]) -> None:
    """One look through the documents for all indexes of a collection, which is far cheaper than keeping them up while inserting."""
    shape = f"{database.name}_shape"
    wanted = [document for document in DOCUMENTS if _name(document) in _COLLECTIONS]
    ensure_schema(uri=settings.mongo_uri, database=shape, documents=wanted)
    for name in _COLLECTIONS:
        sys.stderr.write(f"\nbuilding the indexes of {name} … ")
        began = time.monotonic()
        described = list(database.client[shape][name].list_indexes())
        database[name].create_indexes([_model(one) for one in described if one["name"] != "_id_"])
        sys.stderr.write(f"{time.monotonic() - began:.0f} s")
    database.client.drop_database(shape)
    sys.stderr.write("\n")


def _name(document: Any) -> str:
    return str(document._get_collection_name())


def _model(described: Mapping[str, Any]) -> IndexModel:
    options = {name: value for name, value in described.items() if name not in ("v", "key", "ns")}
    return IndexModel(list(described["key"].items()), **options)


def _say(done: int, total: int, seconds: float) -> None:
    sys.stderr.write(f"\r{done:>12,} of {total:,} residents  {done / seconds:>9,.0f}/s  {seconds:5.0f} s")
    sys.stderr.flush()
