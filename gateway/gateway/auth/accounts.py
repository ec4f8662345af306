"""Accounts of people and systems, and who they turn out to be: argon2id, a lock after repeated failures, no oracle in the timing."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pymongo import ReturnDocument
from pymongo.asynchronous.database import AsyncDatabase

from gateway.errors import Problem

MAX_FAILURES = 5  # security_baseline.yaml: lock after 5 failures for 15 minutes
LOCK = dt.timedelta(minutes=15)
_MAX_SECRET = 256
_MAX_NAME = 200
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's choice for argon2id: 19 MiB, two passes
_NOBODY = _hasher.hash("nobody has this password")

Database = AsyncDatabase[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `kind` is "person" (password grant, web pages) or "system" (client credentials)."""

    username: str
    kind: str
    name: str
    roles: tuple[str, ...] = ()
    area: str = ""
    department: str = ""
    purposes: tuple[str, ...] = ()


class Accounts:
    """The accounts of this installation, in MongoDB."""

    def __init__(self, database: Database) -> None:
        self._accounts = database["accounts"]
        self._attempts = database["attempts"]
        self._slots = asyncio.Semaphore(2)  # hashing takes memory and CPU: never more than two at once

    async def ensure_indexes(self) -> None:
        """Lets forgotten failures go by themselves."""
        await self._attempts.create_index("until", expireAfterSeconds=0)

    async def authenticate(self, *, kind: str, username: str, secret: str) -> Account:
        """Returns the account that name and secret belong to.

        Raises Problem 401 (WRONG_CREDENTIALS) for an unknown name as for a wrong secret, after the same time, and 429
        (ACCOUNT_LOCKED) after five failures; names nobody has are counted and locked as well, so that a lock tells nothing.
        """
        username = username[:_MAX_NAME]  # nobody's name is as long; what is kept of a failure stays small
        await self._check_lock(kind, username)
        record = await self._accounts.find_one({"_id": username, "kind": kind, "disabled": {"$ne": True}})
        async with self._slots:
            # Again, now that it is this one's turn: of many guesses made at once only the first few may be tried.
            await self._check_lock(kind, username)
            if not await _matches(record["secret"] if record else _NOBODY, secret) or record is None:
                await self._note_failure(kind, username)
                raise Problem(401, "WRONG_CREDENTIALS", "Name or password is wrong.")
        await self._attempts.delete_one({"_id": _attempt_id(kind, username)})
        return _account(record)

    async def get(self, username: str) -> Account | None:
        """Returns an account that may still sign in."""
        record = await self._accounts.find_one({"_id": username, "disabled": {"$ne": True}})
        return _account(record) if record else None

    async def put(self, accounts: Sequence[Account], *, secret: str) -> None:
        """Creates or replaces accounts that share one secret (the demo's), and so one hash; a hash that still fits is kept."""
        first = await self._accounts.find_one({"_id": accounts[0].username}, {"secret": 1})
        fits = first is not None and await _matches(first["secret"], secret)
        hashed = first["secret"] if first and fits else await self._hash(secret)
        for account in accounts:
            fields = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(account).items()}
            del fields["username"]
            await self._accounts.update_one({"_id": account.username}, {"$set": {**fields, "secret": hashed}}, upsert=True)

    async def _check_lock(self, kind: str, username: str) -> None:
        attempt = await self._attempts.find_one({"_id": _attempt_id(kind, username)})
        now = dt.datetime.now(dt.UTC)
        if attempt and attempt["failures"] >= MAX_FAILURES and attempt["until"] > now:
            seconds = int((attempt["until"] - now).total_seconds()) + 1
            headers = ((b"retry-after", b"%d" % seconds),)
            raise Problem(429, "ACCOUNT_LOCKED", "Too many failed attempts; try again later.", headers=headers)

    async def _note_failure(self, kind: str, username: str) -> None:
        now = dt.datetime.now(dt.UTC)
        fresh = {"$gt": ["$until", now]}  # also beyond the last allowed one: a failure in flight must not open the lock
        await self._attempts.find_one_and_update(
            {"_id": _attempt_id(kind, username)},
            [{"$set": {"failures": {"$cond": [fresh, {"$add": ["$failures", 1]}, 1]}, "until": now + LOCK}}],
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )

    async def _hash(self, secret: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(_hasher.hash, secret)


def _attempt_id(kind: str, username: str) -> str:
    """Whatever was typed as a name may be a telephone number or a password in the wrong field: it is not kept in clear."""
    return hashlib.sha256(f"{kind}:{username}".encode(errors="replace")).hexdigest()


def _account(record: dict[str, Any]) -> Account:
    return Account(
        username=record["_id"],
        kind=record["kind"],
        name=record["name"],
        roles=tuple(record["roles"]),
        area=record["area"],
        department=record["department"],
        purposes=tuple(record["purposes"]),
    )


async def _matches(hashed: str, secret: str) -> bool:
    if len(secret) > _MAX_SECRET:
        secret = ""  # takes as long to check as any other
    return await asyncio.to_thread(_verify, hashed, secret)


def _verify(hashed: str, secret: str) -> bool:
    try:
        return _hasher.verify(hashed, secret)
    except (VerificationError, InvalidHashError):
        return False
