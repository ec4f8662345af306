"""The words of messages, zh-CN first, en beside it. Messages name case, category and time, never people or addresses. Pure."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from mediation.domain.notice import Language, NoticeKind
from mediation.policies.protecting import PROTECTED_CATEGORY
from svckit.logs import redact

# Lines of a digest; nobody reads a longer text message.
MOST_LINES = 8
_OFFSET = timedelta(hours=8)
_LONGEST_REASON = 60

TITLES: dict[Language, dict[NoticeKind, str]] = {
    Language.ZH: {
        NoticeKind.ASSIGNED: "新任务",
        NoticeKind.YELLOW: "黄灯",
        NoticeKind.RED: "红灯",
        NoticeKind.OBJECTED: "异议待裁决",
        NoticeKind.RULED: "异议裁决",
        NoticeKind.RETURNED: "返工",
        NoticeKind.HANDLED: "待核查",
        NoticeKind.VERIFIED: "核查结果",
        NoticeKind.CLOSED: "已结案",
        NoticeKind.REJECTED: "不予受理",
        NoticeKind.REQUESTED: "待审批",
        NoticeKind.DECIDED: "审批结果",
        NoticeKind.REMOVED: "任务撤出",
        NoticeKind.LEADS: "改为牵头",
        NoticeKind.SUSPENDED: "挂账",
        NoticeKind.RESUMED: "恢复办理",
        NoticeKind.INCOMPLETE: "请补充情况",
        NoticeKind.MERGED: "已并案",
        NoticeKind.TRANSFERRED: "已移交其他途径",
        NoticeKind.SUPERVISED: "督办",
        NoticeKind.REPLIED: "督办答复",
        NoticeKind.ESCALATED: "升级",
        NoticeKind.REOPENED: "重新办理",
        NoticeKind.MEDIATION: "调解提醒",
        NoticeKind.WELFARE: "关爱预警",
        NoticeKind.LIFE_EVENT: "人口事件待办",
        NoticeKind.FIELD_CHECK: "信息待核实",
        NoticeKind.CONFLICT: "采集冲突待处理",
        NoticeKind.AUDIT: "数据访问预警",
    },
    Language.EN: {
        NoticeKind.ASSIGNED: "New task",
        NoticeKind.YELLOW: "Yellow light",
        NoticeKind.RED: "Red light",
        NoticeKind.OBJECTED: "Objection to rule on",
        NoticeKind.RULED: "Ruling",
        NoticeKind.RETURNED: "Rework",
        NoticeKind.HANDLED: "To be checked",
        NoticeKind.VERIFIED: "Check on site",
        NoticeKind.CLOSED: "Closed",
        NoticeKind.REJECTED: "Refused",
        NoticeKind.REQUESTED: "To be decided",
        NoticeKind.DECIDED: "Decision",
        NoticeKind.REMOVED: "Task taken back",
        NoticeKind.LEADS: "Now leading",
        NoticeKind.SUSPENDED: "Suspended",
        NoticeKind.RESUMED: "Resumed",
        NoticeKind.INCOMPLETE: "More facts needed",
        NoticeKind.MERGED: "Merged",
        NoticeKind.TRANSFERRED: "Handed over",
        NoticeKind.SUPERVISED: "Supervision order",
        NoticeKind.REPLIED: "Supervision reply",
        NoticeKind.ESCALATED: "Escalated",
        NoticeKind.REOPENED: "Reopened",
        NoticeKind.MEDIATION: "Mediation",
        NoticeKind.WELFARE: "Welfare alert",
        NoticeKind.LIFE_EVENT: "Life event to see to",
        NoticeKind.FIELD_CHECK: "Facts to be checked",
        NoticeKind.CONFLICT: "Conflict to be decided",
        NoticeKind.AUDIT: "Access alert",
    },
}
# What became of it: no, yes.
_VERDICTS = {
    (Language.ZH, NoticeKind.RULED): ("异议不成立", "异议成立"),
    (Language.EN, NoticeKind.RULED): ("overruled", "upheld"),
    (Language.ZH, NoticeKind.DECIDED): ("不同意", "同意"),
    (Language.EN, NoticeKind.DECIDED): ("not granted", "granted"),
    (Language.ZH, NoticeKind.VERIFIED): ("不通过", "通过"),
    (Language.EN, NoticeKind.VERIFIED): ("failed", "passed"),
}
_CLOCKS = {
    Language.ZH: {"accept": "受理", "respond": "答复", "resolve": "办结", "ruling": "裁决"},
    Language.EN: {"accept": "accept", "respond": "respond", "resolve": "resolve", "ruling": "rule"},
}
_TURNED = {
    (Language.ZH, NoticeKind.YELLOW): "{clock}时限已过70%",
    (Language.EN, NoticeKind.YELLOW): "70 % of the time to {clock} is over",
    (Language.ZH, NoticeKind.RED): "{clock}已超时",
    (Language.EN, NoticeKind.RED): "the time to {clock} is over",
}


class _Frame(msgspec.Struct, frozen=True, kw_only=True):
    """What stands around and between the words of a language."""

    brand: str
    head: str
    tail: str
    due: str
    comma: str
    colon: str


_FRAMES = {
    Language.ZH: _Frame(
        brand="【并联】",
        head="您有{count}条通知：",
        tail="另有{left}条，请登录系统查看。",
        due="时限{at}",
        comma="，",
        colon="：",
    ),
    Language.EN: _Frame(
        brand="[Binglian] ",
        head="{count} notices:",
        tail="{left} more: please sign in.",
        due="due {at}",
        comma=", ",
        colon=": ",
    ),
}


def message_text(notices: Sequence[Mapping[str, Any]], *, count: int, language: Language) -> str:
    """Returns the text for one person: `notices` as stored, oldest first, of `count` in all."""
    frame = _FRAMES[language]
    lines = [line(notice, language) for notice in notices[:MOST_LINES]]
    if count == 1 and lines:
        return frame.brand + lines[0]
    left = count - len(lines)
    rest = [frame.tail.format(left=left)] if left else []
    return "\n".join([frame.brand + frame.head.format(count=count), *lines, *rest])


def line(notice: Mapping[str, Any], language: Language) -> str:
    """Returns the one line for a notice."""
    frame, kind = _FRAMES[language], NoticeKind(notice["kind"])
    case = f"{notice['number']} {category_name(notice['category'], language)}"
    due = notice.get("due_at")
    parts = (
        f"{TITLES[language][kind]} {case}".strip(),
        department_name(notice.get("department", ""), language),
        _TURNED.get((language, kind), "").format(clock=_CLOCKS[language].get(notice.get("clock") or "", "")),
        _VERDICTS.get((language, kind), ("", ""))[bool(notice.get("positive"))],
        frame.due.format(at=_local(due)) if due else "",
    )
    # A reason is free text: numbers of people have no business in messages, nor what it says of violence at home.
    reason = "" if notice["category"] == PROTECTED_CATEGORY else redact(notice.get("reason", ""))[:_LONGEST_REASON]
    return frame.comma.join(part for part in parts if part) + (frame.colon + reason if reason else "")


def _local(at: datetime) -> str:
    return (at.astimezone(UTC) + _OFFSET).strftime("%m-%d %H:%M")


def category_name(category: str, language: Language) -> str:
    """Returns the name of a category in the code tables, or the code itself."""
    # A message lies open on a screen: of suspected domestic violence it says no more than "dispute".
    known = category[:1] if category == PROTECTED_CATEGORY else category
    found = _categories().get(known) or _categories().get(category[:1])
    return found[language is Language.EN] if found else category


def department_name(code: str, language: Language) -> str:
    """Returns the name of a department, or its code."""
    found = _departments().get(code)
    return found[language is Language.EN] if found else code


@cache
def _departments() -> dict[str, tuple[str, str]]:
    return {row["code"]: (row["zh"], row["en"]) for row in _rows("department")}


@cache
def _categories() -> dict[str, tuple[str, str]]:
    found = {row["code"]: (row["zh"], row["en"]) for row in _rows("category")}
    for table, letter, column in (
        ("dispute_category", "A", "code"),
        ("grid_route", "", "category"),
        ("city_component", "C", "code"),
        ("city_event", "D", "code"),
    ):
        found |= {letter + row[column]: (row["zh"], row["en"]) for row in _rows(table)}
    return found


def _rows(table: str) -> list[dict[str, str]]:
    text = resources.files("mediation").joinpath(f"codes/{table}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
