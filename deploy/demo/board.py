"""The demo's live board on the terminal: one row a case, one cell a department, lights in colour."""

from collections.abc import Iterable

from binglian.mediation.v1 import case_pb2
from rich.table import Table
from rich.text import Text

from deploy.demo.play import Played

LIGHTS = {case_pb2.LIGHT_GREEN: "green", case_pb2.LIGHT_YELLOW: "yellow", case_pb2.LIGHT_RED: "red"}
SIGNS = {
    case_pb2.TASK_STATE_WAITING: "◌",
    case_pb2.TASK_STATE_ASSIGNED: "○",
    case_pb2.TASK_STATE_ACCEPTED: "◐",
    case_pb2.TASK_STATE_DONE: "●",
    case_pb2.TASK_STATE_OBJECTED: "!",
    case_pb2.TASK_STATE_RETURNED: "↩",
    case_pb2.TASK_STATE_REMOVED: "–",
}


def draw(cases: Iterable[Played], note: str) -> Table:
    """The board as it stands; `note` is the line under it."""
    table = Table(
        "案件 Case", "事由", "状态 State", "部门 Departments  (◌ waits ○ assigned ◐ at work ● done)", caption=note, expand=True
    )
    for played in cases:
        case = played.case
        state = case_pb2.CaseState.Name(case.state).removeprefix("CASE_STATE_").lower()
        table.add_row(
            case.number or played.case_id[:8],
            played.story.title,
            Text(state, style=LIGHTS.get(case.light, "white")),
            _departments(case),
        )
    return table


def _departments(case: case_pb2.Case) -> Text:
    text = Text()
    for task in case.tasks:
        text.append(f"{SIGNS.get(task.state, '?')} {task.department}  ", style=LIGHTS.get(task.light, "dim"))
    return text
