"""The rules of welfare alerts: call, go there, help (life_event_rule LE14: within 0.1 day somebody stands at the door)."""

from __future__ import annotations

from datetime import datetime, timedelta

from population.domain.welfare import AlertStage, WelfareState, WelfareWatch
from population.policies.requests import Actor, local_day, read_day
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

WELFARE_TRANSITIONS: dict[str, tuple[frozenset[WelfareState | None], WelfareState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "start": (frozenset({None}), WelfareState.ACTIVE),
    "end": (frozenset({WelfareState.ACTIVE}), WelfareState.ENDED),
}
ALERT_TRANSITIONS: dict[str, tuple[frozenset[AlertStage | None], AlertStage]] = {
    "raise": (frozenset({None, AlertStage.OVER}), AlertStage.CALL),
    "no_answer": (frozenset({AlertStage.CALL}), AlertStage.VISIT),
    "need_help": (frozenset({AlertStage.VISIT}), AlertStage.HELP),
    "over": (frozenset({AlertStage.CALL, AlertStage.VISIT, AlertStage.HELP}), AlertStage.OVER),
}
WITHIN = {
    AlertStage.CALL: timedelta(minutes=30),
    AlertStage.VISIT: timedelta(minutes=114),  # 0.1 day (144 minutes) from the alert, less the 30 for calling
    AlertStage.HELP: timedelta(minutes=15),
}
"""How long each stage may take."""
NEXT = {AlertStage.CALL: AlertStage.VISIT, AlertStage.VISIT: AlertStage.HELP}
WATERWORKS = "UTIL_WATER"
OLDEST_DAYS = 7
LONGEST_ABSENCE = timedelta(days=183)
STEPS_KEPT = 20


def check_active(watch: WelfareWatch) -> None:
    """Raises FailedPrecondition (WRONG_STATE) unless the house is looked after."""
    if watch.state is not WelfareState.ACTIVE:
        raise FailedPrecondition(
            "This house is not looked after any more.", reason="WRONG_STATE", metadata={"state": watch.state}
        )


def check_stage(watch: WelfareWatch, stage: AlertStage) -> None:
    """Raises FailedPrecondition (ALERT_OVER, WRONG_STAGE)."""
    if watch.alert is None or watch.alert.stage is AlertStage.OVER:
        raise FailedPrecondition("There is no open alert.", reason="ALERT_OVER")
    if watch.alert.stage is not stage:
        raise FailedPrecondition(
            f"The alert is past that: now it is {watch.alert.stage}.",
            reason="WRONG_STAGE",
            metadata={"stage": watch.alert.stage},
        )


def check_drawn_day(text: str, *, now: datetime) -> None:
    """Raises InvalidArgument (DATE_INVALID, DAY_NOT_OVER, TOO_OLD): a day that is over, at most 7 days ago."""
    day, today = read_day(text, field="day"), local_day(now)
    if day >= today:
        raise InvalidArgument("That day is not over yet.", reason="DAY_NOT_OVER", field="day")
    if day < today - timedelta(days=OLDEST_DAYS):
        raise InvalidArgument("That was too long ago to help anybody.", reason="TOO_OLD", field="day")


def check_absence(text: str, *, now: datetime) -> None:
    """Raises InvalidArgument (DATE_INVALID, IN_THE_PAST, TOO_LONG) for a last day away; empty means back again."""
    if not text:
        return
    day, today = read_day(text, field="away_until"), local_day(now)
    if day < today:
        raise InvalidArgument("That day is over.", reason="IN_THE_PAST", field="away_until")
    if day > today + LONGEST_ABSENCE:
        raise InvalidArgument("Half a year at most; then ask again.", reason="TOO_LONG", field="away_until")


def check_waterworks(by: Actor) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT) for a department other than the waterworks; imports and services act for them."""
    if by.department != WATERWORKS and (by.department or not by.roles & {"IMPORTER", "SERVICE"}):
        raise PermissionDenied(
            "Whether water was drawn is for the waterworks to tell.",
            reason="OTHER_DEPARTMENT",
            metadata={"department": WATERWORKS},
        )
