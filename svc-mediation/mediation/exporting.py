"""What of a case stands in the file people take away, cell by cell. Pure; the case comes masked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from binglian.mediation.v1 import case_pb2

from mediation import naming

_SHANGHAI = timezone(timedelta(hours=8))
_HEADINGS = (
    ("事件编号", "Number"), ("状态", "State"), ("类别代码", "Category code"), ("类别", "Category"), ("级别", "Severity"),
    ("亮灯", "Light"), ("简述", "Description"), ("区域代码", "Area"), ("地址", "Address"), ("经度", "Longitude"), ("纬度", "Latitude"),
    ("牵头部门", "Lead department"), ("协办部门", "Joint departments"), ("最近时限", "Next due"), ("上报时间", "Reported"),
    ("派遣时间", "Dispatched"), ("办结时间", "Handled"), ("结案时间", "Closed"), ("上报人", "Reporter"), ("联系电话", "Telephone"),
    ("统一答复", "Unified reply"), ("外部编号", "External number"), ("来源", "Source"),
)  # fmt: skip
_OVER = frozenset({case_pb2.TASK_STATE_DONE, case_pb2.TASK_STATE_REMOVED})


def headings(language: str) -> list[str]:
    """Returns the first row. `language`: "zh" or "en"."""
    return [pair[language == "en"] for pair in _HEADINGS]


def row(case: Any, *, language: str) -> list[str]:
    """Returns the row of a Case message that is masked already; times as of Asia/Shanghai."""
    tasks = [task for task in case.tasks if task.state != case_pb2.TASK_STATE_REMOVED]
    leads = [task.department for task in tasks if task.role == case_pb2.TASK_ROLE_LEAD]
    joints = [task.department for task in tasks if task.role != case_pb2.TASK_ROLE_LEAD]
    return [
        case.number,
        naming.state(_tail(case_pb2.CaseState, "CASE_STATE_", case.state), language),
        case.category,
        naming.category(case.category, language),
        naming.severity(_tail(case_pb2.Severity, "SEVERITY_", case.severity), language),
        naming.light(_tail(case_pb2.Light, "LIGHT_", case.light), language),
        case.description,
        case.area_code,
        case.address,
        *_coordinates(case),
        _departments(leads, language),
        _departments(joints, language),
        _next_due(tasks),
        *(_time(case, name) for name in ("reported_at", "dispatched_at", "handled_at", "closed_at")),
        case.reporter.name,
        case.reporter.phone,
        case.unified_reply,
        case.external_id,
        naming.source(case.source, language),
    ]


def _tail(enum: Any, prefix: str, number: int) -> str:
    return str(enum.Name(number)).removeprefix(prefix).lower()


def _departments(codes: Iterable[str], language: str) -> str:
    return "、".join(naming.department(code, language) for code in codes)


def _coordinates(case: Any) -> tuple[str, str]:
    if not case.HasField("point"):
        return "", ""
    return f"{case.point.longitude:.6f}", f"{case.point.latitude:.6f}"


def _next_due(tasks: Iterable[Any]) -> str:
    """The first due time of a resolve clock that runs."""
    due = [
        clock.due_at.ToDatetime(tzinfo=UTC)
        for task in tasks
        if task.state not in _OVER
        for clock in task.clocks
        if clock.kind == case_pb2.CLOCK_KIND_RESOLVE and not clock.HasField("met_at")
    ]
    return _shown(min(due)) if due else ""


def _time(case: Any, name: str) -> str:
    return _shown(getattr(case, name).ToDatetime(tzinfo=UTC)) if case.HasField(name) else ""


def _shown(at: datetime) -> str:
    return at.astimezone(_SHANGHAI).strftime("%Y-%m-%d %H:%M")
