"""The register of committees in MongoDB: schema, indexes and look-ups."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import mongoengine as me
import msgspec
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation.domain import Actor
from mediation.domain.committee import CommitteeDraft, MediationCommittee
from svckit.deltas import NATIVE
from svckit.errors import Conflict, Unavailable
from svckit.paging import code_range, narrowed, page_of

Document = dict[str, Any]
_CITY_DIGITS = 4
_BY_AREA = ("area_code", "_id")
_LIVE: Document = {"dissolved_at": {"$type": "null"}}


class CommitteeDocument(me.Document):
    """A committee; the fields that searches and indexes use. The whole shape is `domain.committee.MediationCommittee`."""

    meta: ClassVar[Document] = {
        "collection": "committees",
        "strict": False,
        "auto_create_index": False,
        "indexes": [
            {"name": "area", "fields": ["area_code", "_id"]},
            # Agreements of all times carry the code in their numbers.
            {"name": "code", "fields": ["code"], "unique": True},
            # Everybody belongs to one committee that works.
            {"name": "people", "fields": ["people"], "unique": True, "partialFilterExpression": _LIVE},
        ],
    }

    committee_id = me.StringField(primary_key=True)
    code = me.StringField(required=True)
    area_code = me.StringField(required=True)
    people = me.ListField(me.StringField())
    dissolved_at = me.DateTimeField()


DOCUMENTS = [CommitteeDocument]


class CommitteeRegister:
    """Look-ups in the register. All raise Unavailable while the database is away."""

    def __init__(self, committees: AsyncCollection[Document]) -> None:
        self._committees = committees

    async def by_code(self, code: str) -> MediationCommittee | None:
        """Returns the working committee with a code."""
        return await self._one({"code": code, **_LIVE})

    async def of_mediator(self, subject: str) -> MediationCommittee | None:
        """Returns the working committee somebody belongs to."""
        return await self._one({"people": subject, **_LIVE})

    async def _one(self, where: Document) -> MediationCommittee | None:
        try:
            found = await self._committees.find_one(where)
        except PyMongoError as error:
            raise _unavailable() from error
        if found is None:
            return None
        return msgspec.convert({**found, "committee_id": found["_id"]}, MediationCommittee, builtin_types=NATIVE)

    async def clash(self, conflict: Conflict, *, draft: CommitteeDraft, own: str = "") -> Conflict:
        """Returns the refusal of a unique index as one that names the field: a code, or somebody who stands elsewhere.

        `own` is the id of the committee that changes. Reasons: COMMITTEE_CODE_EXISTS, MEMBERSHIP_EXISTS.
        """
        if conflict.metadata.get("key") == "code":
            return Conflict("Another committee has this code.", reason="COMMITTEE_CODE_EXISTS", field="committee.code")
        places = {
            each.subject: f"committee.{name}[{index}].subject"
            for name in ("members", "mediators")
            for index, each in enumerate(getattr(draft, name))
        }
        other = await self._one({"people": {"$in": list(places)}, "_id": {"$ne": own}, **_LIVE})
        # It may have been dissolved, or have let them go, since.
        if other is None:
            return conflict
        field = next(places[subject] for subject in places if subject in other.people)
        message, found = "This person stands in another committee.", {"committee": other.code}
        return Conflict(message, reason="MEMBERSHIP_EXISTS", field=field, metadata=found)

    async def page(self, where: Document | None, *, token: str, size: int) -> tuple[list[Document], str]:
        """Returns a page of committees by area, and the token of the next. Raises InvalidArgument (PAGE_TOKEN_INVALID)."""
        if where is None:
            return [], ""
        try:
            return await page_of(self._committees, query=where, keys=_BY_AREA, token=token, size=size)
        except PyMongoError as error:
            raise _unavailable() from error


def listed(caller: Actor, *, prefix: str, code: str, mediator: str, dissolved_too: bool, text: str = "") -> Document | None:
    """Returns the condition for the committees of the caller's city; None: nothing can match. The register is public there."""
    area = narrowed(own=caller.area[:_CITY_DIGITS], wanted=prefix)
    if area is None:
        return None
    where: Document = {} if dissolved_too else dict(_LIVE)
    if area:
        where["area_code"] = code_range(area)
    if code:
        where["code"] = code
    if mediator:
        where["people"] = mediator
    if text.strip():
        where["$or"] = _holding(text.strip())
    return where


def _holding(text: str) -> list[Document]:
    """Conditions for a text in code, name or people. A city has some thousand committees: reading them takes milliseconds."""
    inside = {"$regex": re.escape(text), "$options": "i"}
    within = [{name: inside} for name in ("name", "members.name", "mediators.name")]
    return [{"code": {"$regex": f"^{re.escape(text.upper())}"}}, *within]


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")
