"""Reckons the supervision orders (督办) of a case from its facts. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from assessment import policies
from assessment.domain import Fact, FactKind, Light, OrderRecord
from assessment.records import by_kind, last

Facts = Sequence[Fact]

_KINDS = frozenset(kind for kind in FactKind if kind.value.startswith("order_"))
_TELLING = (FactKind.ORDER_ISSUED, FactKind.ORDER_EXTENDED, FactKind.ORDER_REFUSED)


def orders_of(facts: Facts) -> tuple[OrderRecord, ...]:
    """Returns the orders that were issued, first to last; a fact about an order nobody has heard of yet waits for its issue."""
    issued = {fact.source: fact for fact in facts if fact.kind is FactKind.ORDER_ISSUED}
    own: dict[str, list[Fact]] = {order_id: [] for order_id in issued}
    for fact in facts:
        if fact.kind in _KINDS and fact.source in own:
            own[fact.source].append(fact)
    return tuple(_record(issued[order_id], told) for order_id, told in own.items())


def _record(issued: Fact, facts: Facts) -> OrderRecord:
    kinds = by_kind(facts)
    replies = kinds.get(FactKind.ORDER_REPLIED, ())
    overdue = kinds.get(FactKind.ORDER_OVERDUE, ())
    return OrderRecord(
        order_id=issued.source,
        department=issued.department,
        task_id=issued.about,
        cause=issued.text,
        period=policies.period_of(issued.at),
        issued_at=issued.at,
        due_at=_due_at(facts),
        replied_at=replies[-1].at if replies else None,
        replied_on_time=bool(replies) and not overdue and all(reply.yes for reply in replies),
        declined=any(reply.text == "declined" for reply in replies),
        refused=len(kinds.get(FactKind.ORDER_REFUSED, ())),
        overdue=bool(overdue) or any(not reply.yes for reply in replies),
        raises=max((fact.count for fact in overdue), default=0),
        extended=any(fact.yes for fact in kinds.get(FactKind.ORDER_EXTENDED, ())),
        accepted_at=last(kinds, FactKind.ORDER_ACCEPTED),
        withdrawn_at=last(kinds, FactKind.ORDER_WITHDRAWN),
        void=any(not fact.yes for fact in kinds.get(FactKind.ORDER_WITHDRAWN, ())),
        light=_light(kinds),
    )


def _due_at(facts: Facts) -> dt.datetime | None:
    """When the reply is due as said last: at the issue, by an extension that was granted, after a refused reply."""
    said = [fact.due_at for fact in facts if fact.kind in _TELLING and fact.due_at is not None]
    return said[-1] if said else None


def _light(kinds: Mapping[FactKind, Facts]) -> Light:
    lights = [Light(fact.text) for fact in kinds.get(FactKind.ORDER_LIGHT_TURNED, ())]
    return max(lights, key=list(Light).index, default=Light.GREEN)
