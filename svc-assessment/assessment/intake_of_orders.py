"""What the events of supervision orders say, as facts about their case. Pure: fields of an event in, case id and facts out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from assessment.domain import Fact, FactKind

Fields = Mapping[str, Any]
Said = tuple[str, tuple[Fact, ...]]


def _issued(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_ISSUED, fields["issued_at"], text=fields.get("cause", ""), due_at=fields.get("due_at"))


def _replied(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_REPLIED, fields["replied_at"], yes=fields["on_time"], text=fields.get("stance", ""))


def _extended(fields: Fields, _: dt.datetime) -> Said:
    granted = fields["granted"]
    due_at = fields.get("due_at") if granted else None
    return _order(fields, FactKind.ORDER_EXTENDED, fields["decided_at"], yes=granted, due_at=due_at)


def _refused(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_REFUSED, fields["refused_at"], due_at=fields.get("due_at"))


def _accepted(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_ACCEPTED, fields["accepted_at"])


def _overdue(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_OVERDUE, fields["overdue_at"], count=fields["raises"])


def _withdrawn(fields: Fields, _: dt.datetime) -> Said:
    return _order(fields, FactKind.ORDER_WITHDRAWN, fields["withdrawn_at"], yes=fields["settled"])


def _light_turned(fields: Fields, event_time: dt.datetime) -> Said:
    # Since when it shone: yellow before its limit, red from it on.
    at = fields.get("since", fields.get("due_at", event_time))
    return _order(fields, FactKind.ORDER_LIGHT_TURNED, at, text=fields.get("light", "green"))


def _order(fields: Fields, kind: FactKind, at: dt.datetime, **more: Any) -> Said:
    # The order is the fact's source; its task is no fact about that task.
    fact = Fact(kind=kind, at=at, department=fields["department"], source=fields["order_id"], about=fields["task_id"], **more)
    return fields["case_id"], (fact,)


ORDERS: Mapping[str, Callable[[Fields, dt.datetime], Said]] = {
    "mediation.supervision_issued.v1": _issued,
    "mediation.supervision_replied.v1": _replied,
    "mediation.supervision_extension_decided.v1": _extended,
    "mediation.supervision_reply_refused.v1": _refused,
    "mediation.supervision_reply_accepted.v1": _accepted,
    "mediation.supervision_overdue.v1": _overdue,
    "mediation.supervision_withdrawn.v1": _withdrawn,
    "mediation.supervision_light_turned.v1": _light_turned,
}
"""Every event of orders that is taken, by its type."""
