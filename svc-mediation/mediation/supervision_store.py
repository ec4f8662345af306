"""Supervision orders in MongoDB: schema, indexes and the searches behind lists, timer and escalation.

Writing is `svckit.store.Repository` (api) and `svckit.batch.BatchRepository` (worker).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import mongoengine as me
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from mediation import clocks
from mediation.domain import Actor
from mediation.domain.supervision import AWAITING_REPLY
from mediation.policies.protecting import PROTECTED_CATEGORY, sees_protected
from svckit.errors import Unavailable
from svckit.paging import code_range, page_of

Document = dict[str, Any]
Filter = dict[str, Any]

ORDERS_KEYS = ("-issued_at", "_id")
_OWN = {"outbox": False, "commands": False, "created_by": False}


class SupervisionOrderDocument(me.Document):
    """An order; the fields that searches and indexes use. The whole shape is `domain.supervision.SupervisionOrder`."""

    meta: ClassVar[Document] = {
        "collection": "supervision_orders",
        "strict": False,
        "auto_create_index": False,
        "index_background": True,
        "indexes": [
            # One open order to a department about one thing: a second one would be noise, and two clocks for one reply.
            {
                "name": "one_open",
                "fields": ["case_id", "task_id", "department"],
                "unique": True,
                "partialFilterExpression": {"open": True},
            },
            {"name": "case", "fields": ["case_id", "-issued_at", "order_id"]},
            {"name": "department", "fields": ["department", "-issued_at", "order_id"]},
            {"name": "area", "fields": ["area_code", "-issued_at", "order_id"]},
            {"name": "issued", "fields": ["-issued_at", "order_id"]},
            {
                "name": "next_turn",
                "fields": ["next_turn_at"],
                "partialFilterExpression": {"next_turn_at": {"$type": "date"}},
            },
        ],
    }

    order_id = me.StringField(primary_key=True)
    case_id = me.StringField(required=True)
    task_id = me.StringField()
    department = me.StringField(required=True)
    area_code = me.StringField(required=True)
    state = me.StringField(required=True)
    light = me.StringField()
    open = me.BooleanField(required=True)
    issued_at = me.DateTimeField(required=True)
    next_turn_at = me.DateTimeField()
    revision = me.LongField(required=True)


class OrderSearch:
    """The searches on orders. All raise Unavailable while the database is away."""

    def __init__(self, orders: AsyncCollection[Document]) -> None:
        self._orders = orders

    async def one(self, order_id: str) -> Document | None:
        """Returns one order with its diary; None if there is none."""
        try:
            found: Document | None = await self._orders.find_one({"_id": order_id}, _OWN)
        except PyMongoError as error:
            raise _unavailable() from error
        return found and _named(found)

    async def page(self, where: Filter, *, token: str, size: int) -> tuple[list[Document], str]:
        """Returns orders, newest first, and the token of the next page. Raises InvalidArgument (page_token)."""
        try:
            found, following = await page_of(self._orders, query=where, keys=ORDERS_KEYS, token=token, size=size)
        except PyMongoError as error:
            raise _unavailable() from error
        return [_named(order) for order in found], following


def shown_to(caller: Actor) -> Filter:
    """Returns the orders not hidden from a caller: those about suspected domestic violence are, as its cases are."""
    if sees_protected(caller):
        return {}
    about: Filter = {"category": PROTECTED_CATEGORY}
    return {"$nor": [about | ({"department": {"$ne": caller.department}} if caller.department else {})]}


def asked_for(
    *, area: str | None, department: str = "", case_id: str = "", states: Sequence[str] = (), light: str = ""
) -> Filter:
    """Returns the filter of a list; `area` None: nothing at all."""
    if area is None:
        return {"_id": {"$in": []}}
    where: Filter = {"area_code": code_range(area)} if area else {}
    given = {"department": department, "case_id": case_id, "light": light}
    where |= {name: value for name, value in given.items() if value}
    return where | {"state": {"$in": list(states)}} if states else where


def lit(order: Document, *, now: datetime) -> Document:
    """Returns the document with the light of its running clock as of `now`, not as of the timer's last round."""
    if order["state"] in AWAITING_REPLY:
        clock = order["clock"]
        clock["light"] = order["light"] = clocks.light_of(now, yellow_at=clock["yellow_at"], due_at=clock["due_at"])
    return order


def still_open(case_ids: Sequence[str]) -> Filter:
    """Returns the open orders about some cases."""
    return {"case_id": {"$in": list(case_ids)}, "open": True}


def thing_of(order: Mapping[str, Any]) -> tuple[str, str, str]:
    """Returns what a department has one open order about."""
    return order["case_id"], order["task_id"], order["department"]


def _named(order: Document) -> Document:
    order["order_id"] = order.pop("_id")
    return order


def _unavailable() -> Unavailable:
    return Unavailable("The database cannot be reached now.", reason="DATABASE_UNAVAILABLE")
