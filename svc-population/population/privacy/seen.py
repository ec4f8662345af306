"""The audit trail as it is shown: to the person concerned, and to auditors."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from binglian.population.v1 import data_rights_pb2 as messages
from pymongo.asynchronous.collection import AsyncCollection

from population.privacy.audit import events
from svckit.messages import to_message
from svckit.paging import page_of
from svckit.purposes import purposes

DEFAULT_PAGE = 50
KEYS = ("-at", "_id")
Raw = dict[str, Any]
Rows = AsyncCollection[Raw]


async def accesses_page(rows: Rows, resident_ids: Collection[str], request: Any) -> tuple[list[messages.DataAccess], str]:
    """Returns a page of who saw or changed a person's data, in whichever entry, newest first, in words people understand."""
    query = {"residents": {"$in": list(resident_ids)}}
    found, token = await page_of(rows, query=query, keys=KEYS, token=request.page_token, size=request.page_size or DEFAULT_PAGE)
    return [_access(row) for row in found], token


async def entries_page(rows: Rows, query: Raw, request: Any) -> tuple[list[messages.AuditEntry], str]:
    """Returns a page of entries, newest first."""
    found, token = await page_of(rows, query=query, keys=KEYS, token=request.page_token, size=request.page_size or DEFAULT_PAGE)
    return [to_message(messages.AuditEntry, row, id_field="entry_id") for row in found], token


def _access(row: Raw) -> messages.DataAccess:
    said = {each["code"]: each["zh"] for each in purposes()}
    kind = events().get(row["event"], {})
    access = messages.DataAccess(
        who=row.get("name") or row["subject"],
        roles=row.get("roles", ()),
        department=row.get("department", ""),
        purpose=row.get("purpose", ""),
        event=row["event"],
        event_text=kind.get("zh", ""),
        purpose_text=said.get(row.get("purpose", ""), ""),
    )
    access.at.FromDatetime(row["at"])
    return access
