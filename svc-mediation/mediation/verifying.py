"""`python -m mediation verify-history [CASE_ID …]`: works out the hash chains of all cases, or of some, and names what is broken.

A chain proves that nothing inside it was changed; whoever may write to the database could still make a whole new one. So `--seal FILE`
writes down where every chain stands, to be kept where the database's keepers cannot write, and `--against FILE` holds the chains against
such a file: each must still lead through the sealed place with the sealed digest.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import msgspec
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from mediation import history
from mediation.archive import COLLECTION, whole_history

Document = dict[str, Any]
_OWN = {"outbox": False, "commands": False, "created_by": False}
_BATCH = 200
_PATIENCE_MS = 5_000


class Seal(msgspec.Struct, frozen=True):
    """Where the chain of a case stood: so many entries, the last with this digest."""

    case_id: str
    count: int
    head: str


def main(arguments: Sequence[str], *, uri: str, database: str, out: TextIO) -> int:
    """Checks the cases, all when none is named; returns 0 when every history is whole, 1 otherwise, 2 when it could not be told.

    Prints a line `CASE_ID entry N: why` for each broken case (entry 0 is the oldest), then the sum.
    """
    options = _options(arguments)
    seals = _read(options.against) if options.against else {}
    try:
        with MongoClient[Document](uri, tz_aware=True, serverSelectionTimeoutMS=_PATIENCE_MS) as client:
            check = _Check(client[database], seals, out)
            missing = check.run(options.cases)
    except PyMongoError as error:
        print(f"the database did not answer: {type(error).__name__}", file=out)
        return 2
    for case_id in missing:
        print(f"{case_id}: no such case", file=out)
    print(f"{check.checked} histories checked, {check.broken + len(missing)} broken", file=out)
    if options.seal:
        options.seal.write_bytes(b"".join(msgspec.json.encode(seal) + b"\n" for seal in check.found))
    return 1 if check.broken or missing else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mediation verify-history")
    parser.add_argument("cases", nargs="*", help="ids of cases; all when none is named")
    parser.add_argument("--seal", type=Path, metavar="FILE", help="write down where the chains stand")
    parser.add_argument("--against", type=Path, metavar="FILE", help="hold the chains against what was written down")
    return parser.parse_args(arguments)


def _read(file: Path) -> dict[str, Seal]:
    seals = (msgspec.json.decode(line, type=Seal) for line in file.read_bytes().splitlines())
    return {seal.case_id: seal for seal in seals}


class _Check:
    """One run over the cases."""

    def __init__(self, database: Database[Document], seals: Mapping[str, Seal], out: TextIO) -> None:
        self._database = database
        self._seals = seals
        self._out = out
        self.checked = self.broken = 0
        self.found: list[Seal] = []

    def run(self, case_ids: Sequence[str]) -> list[str]:
        """Checks the cases; returns the ids of those that should be there and are not."""
        missing = set(case_ids or self._seals)
        for case in self._cases(case_ids):
            self.checked += 1
            missing.discard(case["_id"])
            self._one(case)
        return sorted(missing)

    def _cases(self, case_ids: Sequence[str]) -> Iterable[Document]:
        where = {"_id": {"$in": list(case_ids)}} if case_ids else {}
        return self._database["cases"].find(where, _OWN, batch_size=_BATCH).sort("_id")

    def _one(self, case: Document) -> None:
        entries = whole_history(case, self._database[COLLECTION])
        flaw = history.flaw_of(case, entries) or self._unlike_sealed(case["_id"], entries)
        if flaw:
            self.broken += 1
            print(f"{case['_id']} entry {flaw.entry}: {flaw.why}", file=self._out)
        elif entries:
            self.found.append(Seal(case["_id"], len(entries), entries[-1]["digest"]))

    def _unlike_sealed(self, case_id: str, entries: Sequence[Mapping[str, Any]]) -> history.Flaw | None:
        seal = self._seals.get(case_id)
        if seal is None:
            return None
        if len(entries) < seal.count:
            return history.Flaw(len(entries), f"{seal.count - len(entries)} entries that were sealed are missing")
        if entries[seal.count - 1]["digest"] != seal.head:
            return history.Flaw(seal.count - 1, "the chain was made anew: up to here it is not the one that was sealed")
        return None
