"""Commands for those who run the service; each says how far it is and ends with an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from pymongo.errors import EncryptionError, PyMongoError

from population.config import Settings
from population.privacy.anchoring import verify
from population.privacy.keyring import RingChanged, open_ring, sync_database
from population.privacy.rotation import KINDS, Rotation, holds_sealed

ROTATE_USAGE = f"usage: python -m population rotate-keys {'|'.join((*KINDS, 'master'))}"


def rotate_keys(arguments: Sequence[str], *, settings: Settings, out: TextIO) -> int:
    """Rotates keys, or goes on with a rotation that was stopped. Exit code: 0 when every value is sealed with the new keys."""
    if len(arguments) != 1 or arguments[0] not in (*KINDS, "master"):
        out.write(f"{ROTATE_USAGE}\n")
        return 2
    try:
        return _rotate(arguments[0], settings, out)
    except (RingChanged, PyMongoError, EncryptionError) as error:
        out.write(f"stopped: {error}\nStart the command again: it goes on where it was.\n")
        return 1


def _rotate(kind: str, settings: Settings, out: TextIO) -> int:
    from population import store

    database = sync_database(settings)
    ring = open_ring(settings, database)
    if kind == "master":
        out.write(f"{ring.rewrap()} data keys are wrapped with the configured master key\n")
        return 0

    def say(text: str) -> None:
        out.write(f"{text}\n")
        out.flush()

    collections = [each._get_collection_name() for each in store.DOCUMENTS if holds_sealed(each)]
    outcome = Rotation(database, ring, collections=collections, say=say).run(kind)
    for each in outcome.failed:
        say(each)
    say(f"{outcome.sealed} values are sealed with the new keys, {len(outcome.failed)} could not be")
    return 1 if outcome.failed else 0


def verify_audit(*, settings: Settings, out: TextIO) -> int:
    """Checks every entry of the audit trail and every anchor. Exit code: 0 when nothing was altered, removed or added."""
    database = sync_database(settings)
    try:
        count, flaws = verify(database, key=open_ring(settings, database).audit_key())
    except (PyMongoError, EncryptionError) as error:
        out.write(f"stopped: {error}\n")
        return 2
    for flaw in flaws:
        out.write(f"{flaw.place}: {flaw.why}\n")
    out.write(f"{count} entries, {len(flaws)} chains with a flaw\n")
    return 1 if flaws else 0
