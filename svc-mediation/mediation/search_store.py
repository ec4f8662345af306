"""Kept searches in MongoDB: schema, indexes, and the lists people see."""

from __future__ import annotations

from typing import Any, ClassVar

import mongoengine as me
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation.domain import Actor
from mediation.texts import MomentDocument, WordingDocument
from svckit.errors import Unavailable

Document = dict[str, Any]
MOST_SHOWN = 500
_PRESENT = {"forgotten_at": None}


class SearchDocument(me.Document):
    """A kept search. The whole shape is `mediation.domain.search.SavedSearch`."""

    meta: ClassVar[Document] = {
        "collection": "searches",
        "strict": False,
        "auto_create_index": False,
        "indexes": [{"name": "owner", "fields": ["owner"]}, {"name": "department", "fields": ["department"]}],
    }

    search_id = me.StringField(primary_key=True)
    name = me.StringField(required=True)
    owner = me.StringField(required=True)
    department = me.StringField()
    saved_at = me.DateTimeField(required=True)


DOCUMENTS = (SearchDocument, WordingDocument, MomentDocument)


class SavedSearches:
    """The lists. All raise Unavailable while the database is away."""

    def __init__(self, searches: AsyncCollection[Document]) -> None:
        self._searches = searches

    async def of(self, caller: Actor) -> list[Document]:
        """Returns the caller's searches and those shared in the caller's department, by name."""
        theirs = [{"department": caller.department}] if caller.department else []
        where = {**_PRESENT, "$or": [{"owner": caller.subject}, *theirs]}
        try:
            found = await self._searches.find(where).sort([("name", 1), ("_id", 1)]).limit(MOST_SHOWN).to_list()
        except PyMongoError as error:
            raise _unavailable() from error
        return [{**search, "search_id": search["_id"]} for search in found]

    async def kept(self, caller: Actor) -> int:
        """Counts the searches the caller keeps."""
        try:
            return await self._searches.count_documents({**_PRESENT, "owner": caller.subject})
        except PyMongoError as error:
            raise _unavailable() from error


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")
