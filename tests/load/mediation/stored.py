"""A city's cases, put into the database by the thousand: what svc-mediation would have stored after years of them."""

import csv
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo import InsertOne, MongoClient, WriteConcern

from mediation import inbox, operations
from mediation.domain import Attachment, Case, Point, TaskPlan, TaskRole
from mediation.store import CaseDocument
from svckit.access import Caller
from svckit.documents import Form, utc_now
from svckit.ids import new_id
from svckit.schema import ensure_schema

DATABASE = "binglian_mediation"
GRIDS = [f"4205{district:02}{street:03}{community:03}1{grid:04}" for district in (2, 3, 4, 5, 6, 25, 26) for street in range(1, 6)
         for community in range(1, 6) for grid in range(1, 9)]  # fmt: skip
"""1,400 grids, about as many as Yichang has."""
with (resources.files("mediation") / "codes" / "department.csv").open(encoding="utf-8") as _rows:
    DEPARTMENTS = [row["code"] for row in csv.DictReader(_rows)]
AT_ONCE = 2_000
_WORDS = (
    "东门",
    "西门",
    "自来水管",
    "下水道",
    "路灯",
    "破裂",
    "堵塞",
    "积水",
    "不亮",
    "噪音",
    "占道",
    "垃圾",
    "楼道",
    "消防通道",
    "井盖",
)
_CATEGORIES = ("A0204", "A0601", "B01", "C0101", "D0102", "D0402")
_form = Form(Case, id_field="case_id")
_photo = (Attachment(uri="oss://after.jpg", point=Point(111.3, 30.7)),)


def _caller(subject: str, role: str, department: str = "") -> Caller:
    return Caller(subject=subject, roles=frozenset({role}), area="4205", department=department)


_DISPATCHER, _CHECKER = _caller("dispatcher", "DISPATCHER"), _caller("checker", "GRID_SUPERVISOR")


def in_work() -> dict[str, Any]:
    """The fields of a case that two departments have accepted."""
    now = utc_now()
    case, _ = operations.report_case(
        case_id="", number="", category="D0402", description="", area_code=GRIDS[0], point=_photo[0].point, by=_DISPATCHER,
        at=now, now=now,
    )  # fmt: skip
    plans = [TaskPlan(department="UMD", role=TaskRole.LEAD), TaskPlan(department="PROP", role=TaskRole.JOINT)]
    case, _ = operations.dispatch(case, by=_DISPATCHER, at=now, now=now, new_id=new_id, plans=plans)
    for task in case.tasks:
        by = _caller(task.department, "DEPT_HANDLER", task.department)
        case, _ = operations.accept_task(case, task_id=task.task_id, by=by, at=now, now=now)
    return _form.changed(None, case)


def closed() -> dict[str, Any]:
    """The fields of a case that was handled, checked and closed."""
    now = utc_now()
    case = _form.state({**in_work(), "_id": ""})
    for task in case.tasks:
        by = _caller(task.department, "DEPT_LEAD", task.department)
        case, _ = operations.complete_task(
            case, task_id=task.task_id, result="已处置", unified_reply="已办结", parties_informed="电话", by=by, at=now, now=now
        )
    case, _ = operations.verify_case(case, passed=True, photos=_photo, by=_CHECKER, at=now, now=now)
    case, _ = operations.close_case(case, by=_DISPATCHER, at=now, now=now)
    return _form.changed(None, case)


def give_memory(mongo_uri: str, gigabytes: int) -> None:
    """Lets the database keep in memory what a city's server would: those of the tests are small on purpose."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client.admin.command("setParameter", 1, wiredTigerEngineRuntimeConfig=f"cache_size={gigabytes}G")


def put(mongo_uri: str, *, history: int, in_hand: int, database: str = DATABASE) -> None:
    """Stores so many closed cases of the past years and, youngest, so many open ones; then makes the indexes. Seeded: always the same."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        rows = client[database].get_collection("cases", write_concern=WriteConcern(1, j=False))
        batch: list[InsertOne[dict[str, Any]]] = []
        for document in _documents(history, in_hand):
            batch.append(InsertOne(document))
            if len(batch) == AT_ONCE:
                rows.bulk_write(batch, ordered=False)
                batch = []
        if batch:
            rows.bulk_write(batch, ordered=False)
    ensure_schema(uri=mongo_uri, database=database, documents=[CaseDocument])


def _documents(history: int, in_hand: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(3)
    over, open_ = _packed(closed()), _packed(in_work())
    start = utc_now() - timedelta(days=4 * 365)
    step = timedelta(days=4 * 365 - 1) / (history + in_hand)
    for number in range(history + in_hand):
        is_open = number >= history
        yield _one(number, open_ if is_open else over, start + number * step, is_open, chance)


def _packed(value: Any) -> Any:
    """Lists of a document that all share, encoded once: a million cases are made in a quarter of the time."""
    if isinstance(value, list):
        return [RawBSONDocument(bson.encode(part)) if isinstance(part, dict) and "department" not in part else _packed(part)
                for part in value]  # fmt: skip
    if isinstance(value, dict):
        return {name: _packed(part) for name, part in value.items()}
    return value


def _one(number: int, like: dict[str, Any], at: datetime, is_open: bool, chance: random.Random) -> dict[str, Any]:
    case_id = f"{int(at.timestamp() * 1000):012x}"
    case_id = f"{case_id[:8]}-{case_id[8:]}-7000-8000-{number:012x}"
    tasks, marks = _tasks(like["tasks"], case_id, at, is_open, chance)
    return {
        **like,
        "_id": case_id,
        "number": f"420502-{at.year}-{number:07}",
        "city": "4205",
        "area_code": chance.choice(GRIDS),
        "category": chance.choice(_CATEGORIES),
        "light": chance.choice(("green", "green", "green", "yellow", "red")) if is_open else "unspecified",
        "description": "".join(chance.sample(_WORDS, 4)),
        "reported_at": at,
        "changed_at": at + timedelta(hours=chance.uniform(0, 48)),
        "next_light_at": at + timedelta(days=3_000) if is_open else None,
        "tasks": tasks,
        "inbox": marks,
        "revision": 7,
        "created_by": {"key": f"worker-{number % 3_000}:{number}", "digest": "0" * 32},
    }


def _tasks(
    like: list[Any], case_id: str, at: datetime, is_open: bool, chance: random.Random
) -> tuple[list[Any], dict[str, str]]:
    marks: dict[str, str] = {}
    tasks = []
    for task, department in zip(like, chance.sample(DEPARTMENTS, len(like)), strict=True):
        due = at + timedelta(hours=chance.uniform(4, 400))
        due = due.replace(microsecond=due.microsecond // 1000 * 1000)
        tasks.append({**task, "department": department, "due_at": due, "handler": f"{department}-{chance.randrange(8)}"})
        if is_open:
            marks[department] = inbox.mark(due, case_id)
    return tasks, {**marks, inbox.ANY: min(marks.values())} if marks else {}
