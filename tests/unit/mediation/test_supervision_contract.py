"""Orders against the protos they travel as, and against the documents they are stored as."""

from __future__ import annotations

from enum import StrEnum

import pytest
from binglian.mediation.v1 import events_pb2, supervision_pb2
from google.protobuf import json_format

from mediation.domain import supervision as shapes
from mediation.operations import supervision
from mediation.supervision_store import SupervisionOrderDocument, asked_for, lit
from svckit.documents import Form
from svckit.messages import event_json, event_type, to_message

from .builders import START, after_start
from .orders import FIRE, STREET, asked, ordered, replied

# Fields the store and the timer use; no client sees them.
OWN = {"next_turn_at", "open"}


@pytest.mark.parametrize("name", ["SupervisionOrder", "OrderReply", "OrderExtension", "OrderStep"])
def test_every_part_of_an_order_has_the_fields_of_its_message(name: str) -> None:
    fields = {field.name for field in supervision_pb2.DESCRIPTOR.message_types_by_name[name].fields}
    assert set(getattr(shapes, name).__struct_fields__) - OWN == fields


@pytest.mark.parametrize("name", ["OrderState", "OrderCause", "ReplyStance"])
def test_every_enum_has_the_values_of_its_proto(name: str) -> None:
    descriptor = supervision_pb2.DESCRIPTOR.enum_types_by_name[name]
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    ours: type[StrEnum] = getattr(shapes, name)
    assert {value.name.removeprefix(prefix).lower() for value in descriptor.values} - {"unspecified"} == set(ours)


def worked() -> shapes.SupervisionOrder:
    """An order that has been through everything."""
    order = supervision.decide_extension(asked(ordered()), granted=True, reason="同意", by=STREET, now=START)[0]
    order = supervision.refuse_reply(replied(order), reason="不全", by=STREET, now=START)[0]
    order = supervision.turn_order(order, now=after_start(days=20))[0]
    return replied(order, at=after_start(days=21))


def test_an_order_is_the_same_after_the_database() -> None:
    order = worked()
    form = Form(shapes.SupervisionOrder, id_field="order_id")
    document = {**form.changed(None, order), "_id": order.order_id}
    assert form.state(document) == order
    raw = {**document, "order_id": document["_id"]}
    shown = to_message(supervision_pb2.SupervisionOrder, order)
    assert to_message(supervision_pb2.SupervisionOrder, raw) == shown
    assert (len(shown.replies), shown.raises, shown.extension.granted) == (2, 2, True)
    # What the indexes ask for is stored, whatever its value.
    for index in SupervisionOrderDocument._meta["indexes"]:
        assert {name.lstrip("-") for name in index["fields"]} - {"order_id"} <= set(document)


def test_facts_are_the_json_of_their_messages() -> None:
    _, said = supervision.turn_order(ordered(), now=after_start(days=20))
    _, more = supervision.reply_order(ordered(), stance=shapes.ReplyStance.DECLINED, text="x", by=FIRE, now=START)
    for fact in (*said, *more):
        message = getattr(events_pb2, type(fact).__name__)()
        json_format.Parse(event_json(fact), message)
        assert message == to_message(type(message), fact)
        assert event_type(fact).startswith("mediation.supervision_")


def test_the_light_is_that_of_the_moment_it_is_looked_at() -> None:
    form = Form(shapes.SupervisionOrder, id_field="order_id")
    document = form.changed(None, ordered())
    assert lit(document, now=after_start(days=20))["light"] == "red"
    assert document["clock"]["light"] == "red"
    answered = form.changed(None, replied(ordered()))
    assert lit(answered, now=after_start(days=20))["light"] == "green"


def test_lists_ask_for_what_was_wanted() -> None:
    assert asked_for(area=None) == {"_id": {"$in": []}}
    assert asked_for(area="") == {}
    assert asked_for(area="4205", department="FIRE", case_id="x", states=["issued"], light="red") == {
        "area_code": {"$gte": "4205", "$lt": "4205:"},
        "department": "FIRE",
        "case_id": "x",
        "light": "red",
        "state": {"$in": ["issued"]},
    }
