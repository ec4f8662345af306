"""What the population register asks people to do soon: an alert, work for a grid, a conflict, somebody who looks too much. Pure.

Told as what happens to cases is: to a post, on the pages at once and to whoever is on duty by message. A notice says what kind of work
waits and until when; about whom, only the register tells, to those who may know (PIPL Art. 6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mediation.domain.notice import NoticeKind, Post
from mediation.domain.states import Severity
from mediation.telling import Told

Fields = Mapping[str, Any]
# Whoever may take a step of a welfare alert in the grid and its community; help is also the city's business.
_NEAR = Post(roles=frozenset({"GRID_WORKER", "GRID_SOCIAL", "GRID_SUPERVISOR", "COMM_CLERK"}))
_WITH_CITY = Post(roles=_NEAR.roles | {"DISPATCHER"})
_CHECKERS = Post(roles=frozenset({"GRID_WORKER", "GRID_LEADER"}))
_DECIDERS = Post(roles=frozenset({"GRID_LEADER", "GRID_SUPERVISOR", "COMM_CLERK", "DATA_STEWARD"}))
_PROTECTION = Post(roles=frozenset({"AUDITOR", "DPO"}))
_STEPS = {"call": "请电话联系", "visit": "请上门查看", "help": "请紧急救助"}


def thing_of(kind: str, fields: Fields) -> dict[str, Any]:
    """Returns what a fact of the register is about, as far as telling needs it, in the form of a case without number and category."""
    urgent = kind.startswith("population.welfare_alert_")
    severity = Severity.S1 if urgent else Severity.S3
    return {"_id": "", "number": "", "category": "", "severity": severity.value, "area_code": fields.get("area_code", "")}


def _alert(fields: Fields) -> Told | None:
    stage = fields.get("stage", "call")
    if stage not in _STEPS:
        return None
    post = _WITH_CITY if stage == "help" else _NEAR
    return _told(NoticeKind.WELFARE, post, fields, about="alert_id", reason=_STEPS[stage])


def _life_event(fields: Fields) -> Told:
    return _told(NoticeKind.LIFE_EVENT, Post(roles=frozenset({fields["assignee_role"]})), fields, about="life_event_id")


def _field_check(fields: Fields) -> Told:
    return _told(NoticeKind.FIELD_CHECK, _CHECKERS, fields, about="check_id")


def _conflict(fields: Fields) -> Told:
    return _told(NoticeKind.CONFLICT, _DECIDERS, fields)


def _audit_alert(fields: Fields) -> Told:
    return _told(NoticeKind.AUDIT, _PROTECTION, fields, about="alert_id")


def _told(kind: NoticeKind, post: Post, fields: Fields, *, about: str = "", reason: str = "") -> Told:
    return Told(kind=kind, post=post, about_id=fields.get(about, ""), due_at=fields.get("due_at"), reason=reason)


REGISTER_NEWS: dict[str, Callable[[Fields], Told | None]] = {
    "population.welfare_alert_raised.v1": _alert,
    "population.welfare_alert_escalated.v1": _alert,
    "population.life_event_received.v1": _life_event,
    "population.field_check_opened.v1": _field_check,
    "population.field_conflict_found.v1": _conflict,
    "population.audit_alert_raised.v1": _audit_alert,
}
