"""What everybody on the broker hears of suspected domestic violence: that something goes on, not what, where or of whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation import dispute_codes, operations
from mediation.domain import Case, TaskState
from mediation.domain.case import Actor
from mediation.domain.discretion import PROTECTED_CATEGORY, discreet
from mediation.domain.dispute import PoliceGround
from mediation.domain.facts import CaseReported, Fact
from mediation.domain.supervision import SupervisionOrder
from mediation.operations import disputes, escalating, supervision
from svckit.documents import Change, Command, Draft, Form
from tests.unit.mediation.builders import (
    DISPATCHER,
    GRID_CODE,
    PLACE,
    START,
    WORKER,
    department,
    ids,
    plans,
    task_of,
)
from tests.unit.mediation.dispute_builders import CHAIR, mediating

SECRETS = ("丈夫殴打", "学院街3号", "0105", GRID_CODE, str(PLACE.longitude), "请立即到场", "涉及隐私", WORKER.subject)
FORM = Form(Case, id_field="case_id")
ORDERS = Form(SupervisionOrder, id_field="order_id")


class Life:
    """A case of the store, and the events its verbs leave for the relay."""

    def __init__(self, category: str) -> None:
        case, facts = operations.report_case(
            case_id="01930000-0000-7000-8000-000000000001",
            number="420502-2026-000001",
            category=category,
            description="丈夫殴打妻子",
            address="学院街3号",
            area_code=GRID_CODE,
            point=PLACE,
            by=WORKER,
            at=START,
            now=START,
        )
        self._draft = Draft(FORM, case.case_id, None)
        self._save(lambda _: (case, facts), creates=True)
        self.now = START

    def _save(self, decide: Any, *, creates: bool = False) -> None:
        command = Command(str(len(self._draft.events)) + str(creates), "d")
        self.case: Any = self._draft.apply(Change(self._draft.id, decide, command, creates=creates), now=START)

    def verb(self, name: str, by: Actor, **arguments: Any) -> None:
        self.now += timedelta(minutes=1)
        verb = getattr(operations, name, None) or getattr(escalating, name)
        self._save(lambda case: verb(case, by=by, at=self.now, now=self.now, **arguments))

    @property
    def published(self) -> dict[str, dict[str, Any]]:
        """The last event of every type."""
        return {event["type"].split(".")[1]: json.loads(event["data"]) for event in self._draft.events}


def lived(category: str) -> Life:
    """Reported, sent to three departments, objected to, let off, done, checked."""
    life = Life(category)
    told = [replace(plan, instruction="请立即到场") for plan in plans("PSB", "CIVIL", "PMC")]
    fresh = ids()
    life.verb("dispatch", DISPATCHER, plans=told, new_id=fresh)
    of = lambda code: {"task_id": task_of(life.case, code).task_id}  # noqa: E731
    life.verb("object_task", department("PMC"), reason="涉及隐私", **of("PMC"))
    life.verb("rule_objection", DISPATCHER, upheld=True, reassign_to="JUST", reason="涉及隐私", new_id=fresh, **of("PMC"))
    life.verb("propose_exemption", department("PSB"), reason="涉及隐私", **of("CIVIL"))
    life.verb("rule_exemption", DISPATCHER, approved=True, reason="涉及隐私", **of("CIVIL"))
    life.verb("suspend_case", DISPATCHER, reason="涉及隐私", until=life.now + timedelta(minutes=5))
    life.verb("resume_case", DISPATCHER)
    life.verb("accept_task", department("JUST"), **of("JUST"))
    life.verb("complete_task", department("JUST"), result="涉及隐私", **of("JUST"))
    life.verb("return_task", DISPATCHER, reason="涉及隐私", **of("JUST"))
    return life


def said(events: dict[str, dict[str, Any]]) -> str:
    return json.dumps(events, ensure_ascii=False)


def test_there_is_one_such_kind() -> None:
    assert f"A{dispute_codes.VIOLENCE}" == PROTECTED_CATEGORY


def test_nothing_of_it_is_in_any_event() -> None:
    life = lived(PROTECTED_CATEGORY)
    events = life.published
    assert {"case_reported", "case_dispatched", "task_assigned", "task_objected", "exemption_proposed"} <= set(events)
    assert [secret for secret in SECRETS if secret in said(events)] == []
    # The case itself keeps everything, for those who may read it.
    assert (life.case.description, life.case.area_code) == ("丈夫殴打妻子", GRID_CODE)
    assert life.case.steps[-1].remark == "涉及隐私"


def test_departments_and_the_assessment_hear_what_they_need() -> None:
    life = lived(PROTECTED_CATEGORY)
    dispatched = life.published["case_dispatched"]
    assert (dispatched["category"], dispatched["areaCode"], dispatched["city"]) == ("A01", GRID_CODE[:6], "4205")
    assert {"description", "address", "point"}.isdisjoint(dispatched)
    assert [(task["department"], "dueAt" in task) for task in dispatched["tasks"]] == [
        ("PSB", True),
        ("CIVIL", True),
        ("PMC", True),
    ]
    assert life.published["task_returned"]["taskId"] == task_of(life.case, "JUST").task_id
    assert task_of(life.case, "JUST").state is TaskState.RETURNED


def test_of_other_cases_everything_is_said() -> None:
    events = said(lived("A0204").published)
    for secret in SECRETS:
        assert (secret in events) is (secret != "0105"), secret


def test_a_report_without_its_grid_keeps_its_point_so_that_it_is_found() -> None:
    fact = CaseReported(
        case_id="c",
        number="n",
        city="4205",
        area_code="420502001",
        category=PROTECTED_CATEGORY,
        severity="s2",  # type: ignore[arg-type]
        reported_by="somebody",
        reported_at=START,
        point=PLACE,
    )
    (told,) = discreet([fact])
    assert (told.point, told.area_code, told.reported_by, told.category) == (PLACE, "420502", "", "A01")


@given(st.sampled_from(Fact.__subclasses__()))
def test_every_fact_survives_it(kind: type[Fact]) -> None:
    if kind.__subclasses__():
        return
    values = dict.fromkeys(kind.__struct_fields__, "x")
    (told,) = discreet([kind(**values)])
    assert type(told) is kind
    assert told.case_id == "x"


def test_orders_about_such_a_case_say_no_more() -> None:
    life = lived(PROTECTED_CATEGORY)
    supervisor = department("", lead=True).__class__("s", roles=frozenset({"STREET_CENTER"}), area="420502001")
    order, facts = supervision.issue_order(
        life.case,
        order_id="01930000-0000-7000-8000-0000000000e1",
        task_id=task_of(life.case, "PSB").task_id,
        department="",
        demand="请立即到场",
        reply_minutes=0,
        by=supervisor,
        now=START + timedelta(hours=1),
    )
    draft = Draft(ORDERS, order.order_id, None)
    draft.apply(Change(order.order_id, lambda _: (order, facts), Command("k", "d"), creates=True), now=START)
    events: Sequence[Any] = [json.loads(event["data"]) for event in draft.events]
    assert events
    assert [secret for secret in SECRETS if secret in json.dumps(events, ensure_ascii=False)] == []


@pytest.mark.parametrize(("ground", "shown"), [(PoliceGround.VIOLENCE, False), (PoliceGround.PENAL_MATTER, True)])
def test_that_the_police_was_told_of_violence_is_no_news_for_all(ground: PoliceGround, shown: bool) -> None:
    _, facts = disputes.inform_police(mediating(), ground=ground, text="已报110", by=CHAIR, now=START)
    fact: Any = facts[0]
    assert (fact.ground is not None, len(fact.area_code) > 6) == (shown, shown)
