"""Who is told what, in which words."""

from __future__ import annotations

import datetime as dt
import inspect
from typing import Any

import msgspec
import pytest
from binglian.mediation.v1 import events_pb2, notice_pb2
from binglian.options.v1 import options_pb2
from binglian.population.v1 import events_pb2 as population_events

from mediation import register_news, telling
from mediation.domain import notice as domain
from mediation.domain.notice import Contact, Duty, Language, NoticeChannel, NoticeKind
from mediation.notice_store import addressed_to
from mediation.phrases import MOST_LINES, TITLES, category_name, department_name, line, message_text
from mediation.policies.protecting import PROTECTED_CATEGORY
from mediation.register_news import REGISTER_NEWS, thing_of
from mediation.telling import TELLS, Told, is_history, tell, when
from mediation.writing import Roster, containing, followed, news_of, notices_of
from svckit.access import Caller
from svckit.bus import Event
from svckit.documents import utc_now

NOW = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
AREA = "42050200100310001"
CASE: dict[str, Any] = {
    "_id": "01930000-0000-7000-8000-000000000001",
    "number": "420502-2026-000123",
    "category": "A0204",
    "severity": "s3",
    "area_code": AREA,
    "reporter": {"subject": "zhao"},
    "tasks": [
        {"department": "PMC", "role": "lead", "state": "removed"},
        {"department": "FIRE", "role": "lead", "state": "done"},
        {"department": "UMD", "role": "joint", "state": "done"},
        {"department": "PSB", "role": "joint", "state": "accepted", "task_id": "t3"},
    ],
}
CASES = {CASE["_id"]: CASE}
TASK = {"task_id": "t1", "department": "FIRE"}


def told(kind: str, **fields: Any) -> set[tuple[str, str, str]]:
    """(kind, roles, department) of everything told; the reporter has the role "reporter"."""
    found = tell(f"mediation.{kind}.v1", {"case_id": CASE["_id"], **fields}, CASE)
    return {(one.kind, ",".join(sorted(one.post.roles)) if one.post else "reporter", _department(one)) for one in found}


def _department(one: Told) -> str:
    return one.post.department if one.post else ""


DEPARTMENT = "DEPT_HANDLER,DEPT_LEAD"


def test_every_department_hears_of_its_task_when_it_can_start() -> None:
    tasks = [
        {**TASK, "assigned_at": NOW},
        {"task_id": "t2", "department": "UMD", "assigned_at": NOW},
        {"task_id": "t3", "department": "PSB"},
    ]
    assert told("case_dispatched", tasks=tasks) == {("assigned", DEPARTMENT, "FIRE"), ("assigned", DEPARTMENT, "UMD")}
    assert told("task_assigned", task={**TASK, "assigned_at": NOW}) == {("assigned", DEPARTMENT, "FIRE")}


@pytest.mark.parametrize(
    ("light", "department", "expected"),
    [
        ("yellow", "FIRE", {("yellow", DEPARTMENT, "FIRE")}),
        ("red", "FIRE", {("red", DEPARTMENT, "FIRE"), ("red", "DISPATCHER,SUPERVISION", "")}),
        ("yellow", "", {("yellow", "DISPATCHER", "")}),
        ("red", "", {("red", "DISPATCHER,SUPERVISION", "")}),
    ],
)
def test_lights_go_up_with_their_colour(light: str, department: str, expected: set[tuple[str, str, str]]) -> None:
    fields = {
        "light": light,
        "clock": "resolve",
        "due_at": NOW,
        "department": department,
        "task_id": "t1" if department else "",
    }
    assert told("light_turned", **fields) == expected


def test_an_objection_goes_to_who_rules_and_the_ruling_back() -> None:
    assert told("task_objected", **TASK, reason="x") == {("objected", "DISPATCHER", "")}
    assert told("objection_ruled", **TASK, upheld=True) == {("ruled", DEPARTMENT, "FIRE")}
    assert told("task_returned", **TASK, reason="x") == {("returned", DEPARTMENT, "FIRE")}


def test_the_end_of_a_case() -> None:
    assert told("case_handled") == {("handled", "GRID_SUPERVISOR,GRID_WORKER", "")}
    assert told("case_verified", passed=True) == {("verified", DEPARTMENT, "FIRE"), ("verified", "DISPATCHER", "")}
    assert told("case_verified", passed=False) == {("verified", DEPARTMENT, "FIRE")}
    assert told("case_closed") == {("closed", DEPARTMENT, "FIRE"), ("closed", "reporter", "")}
    assert told("case_rejected", reason="x") == {("rejected", "reporter", "")}


def test_who_had_not_finished_hears_that_the_closing_ended_its_task() -> None:
    at = NOW + dt.timedelta(hours=1)
    late = {"task_id": "t9", "department": "ENV", "role": "joint", "state": "removed", "removed_at": at}
    before = {**late, "task_id": "t8", "department": "UMD", "removed_at": NOW}
    case = {**CASE, "tasks": [*CASE["tasks"], late, before]}
    rows = tell("mediation.case_closed.v1", {"case_id": CASE["_id"], "closed_at": at}, case)
    assert [(row.kind, row.department, row.task_id) for row in rows if row.task_id] == [("removed", "ENV", "t9")]


FIRE = (DEPARTMENT, "FIRE")


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("case_returned", {"reason": "x"}, {("incomplete", "reporter", "")}),
        ("case_transferred", {"authority": "法院"}, {("transferred", "reporter", "")}),
        ("case_merged", {"reporters": [{"case_id": CASE["_id"], "subject": "zhao"}]}, {("merged", "reporter", "")}),
        ("case_merged", {"reporters": [{"case_id": "of another", "subject": "qian"}]}, set()),
        ("case_reopened", {"reason": "x"}, {("reopened", "DISPATCHER", "")}),
        ("case_suspended", {"reason": "x", "until": NOW}, {("suspended", DEPARTMENT, "PSB")}),
        ("case_resumed", {}, {("resumed", DEPARTMENT, "PSB")}),
        ("task_removed", {**TASK, "reason": "x"}, {("removed", *FIRE)}),
        ("lead_changed", {**TASK, "reason": "x"}, {("leads", *FIRE)}),
        ("exemption_proposed", {**TASK, "reason": "x"}, {("requested", "DISPATCHER", "")}),
        ("exemption_ruled", {**TASK, "approved": False}, {("decided", *FIRE)}),
        ("extension_requested", {**TASK, "reason": "x", "minutes": 60}, {("requested", "DISPATCHER", "")}),
        ("extension_ruled", {**TASK, "approved": True, "due_at": NOW}, {("decided", *FIRE)}),
        ("case_escalated", {"role": "STREET_CENTER", "reason": "x", "due_at": NOW}, {("escalated", "STREET_CENTER", "")}),
        ("supervision_issued", {**TASK, "demand": "x", "due_at": NOW}, {("supervised", *FIRE)}),
        ("supervision_reply_refused", {**TASK, "reason": "x", "due_at": NOW}, {("supervised", *FIRE)}),
        ("supervision_replied", {**TASK, "reason": "x"}, {("replied", "DISPATCHER,SUPERVISION", "")}),
        ("supervision_extension_asked", {**TASK, "reason": "x"}, {("requested", "DISPATCHER,SUPERVISION", "")}),
        ("supervision_extension_decided", {**TASK, "granted": True, "reason": ""}, {("decided", *FIRE)}),
        ("supervision_light_turned", {**TASK, "light": "yellow", "due_at": NOW}, {("yellow", *FIRE)}),
        ("supervision_overdue", {**TASK, "role": "DISPATCHER", "due_at": NOW}, {("escalated", "DISPATCHER", "")}),
    ],
)
def test_what_else_people_hear_of(kind: str, fields: dict[str, Any], expected: set[tuple[str, str, str]]) -> None:
    assert told(kind, **fields) == expected


def test_a_decision_says_yes_or_no_and_an_order_what_it_demands() -> None:
    (decided,) = tell("mediation.extension_ruled.v1", {**TASK, "approved": True, "due_at": NOW}, CASE)
    (refused,) = tell("mediation.supervision_extension_decided.v1", {**TASK, "granted": False}, CASE)
    assert (decided.positive, decided.due_at, refused.positive) == (True, NOW, False)
    (order,) = tell("mediation.supervision_issued.v1", {**TASK, "demand": "三日内整改", "due_at": NOW}, CASE)
    assert (order.reason, order.due_at) == ("三日内整改", NOW)


def test_every_kind_is_told_by_some_fact() -> None:
    """The tables above and below name them all; here, that no kind is left over."""
    source = inspect.getsource(telling) + inspect.getsource(register_news)
    assert {kind for kind in NoticeKind if f"NoticeKind.{kind.name}" not in source} == {"unspecified", "yellow"}


def test_what_is_told_are_facts_of_ours() -> None:
    declared = {one.GetOptions().Extensions[options_pb2.event] for one in events_pb2.DESCRIPTOR.message_types_by_name.values()}
    assert set(TELLS) <= declared


ALERT = {"alert_id": "a1", "area_code": AREA, "due_at": NOW}
NEAR = "COMM_CLERK,GRID_SOCIAL,GRID_SUPERVISOR,GRID_WORKER"


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("welfare_alert_raised", ALERT, ("welfare", NEAR, "a1", "【并联】关爱预警，时限11-22 12:00：请电话联系")),
        (
            "welfare_alert_escalated",
            ALERT | {"stage": "visit"},
            ("welfare", NEAR, "a1", "【并联】关爱预警，时限11-22 12:00：请上门查看"),
        ),
        ("welfare_alert_escalated", ALERT | {"stage": "over"}, None),
        (
            "life_event_received",
            {"life_event_id": "l1", "rule": "LE02", "assignee_role": "COMM_CLERK", "area_code": AREA},
            ("life_event", "COMM_CLERK", "l1", "【并联】人口事件待办"),
        ),
        (
            "field_check_opened",
            {"check_id": "c1", "area_code": AREA},
            ("field_check", "GRID_LEADER,GRID_WORKER", "c1", "【并联】信息待核实"),
        ),
        (
            "field_conflict_found",
            {"resident_id": "r1", "area_code": AREA, "field": "phone"},
            ("conflict", "COMM_CLERK,DATA_STEWARD,GRID_LEADER,GRID_SUPERVISOR", "", "【并联】采集冲突待处理"),
        ),
        ("audit_alert_raised", {"alert_id": "a2", "area_code": "4205"}, ("audit", "AUDITOR,DPO", "a2", "【并联】数据访问预警")),
    ],
)
def test_what_the_register_asks_is_told_without_saying_about_whom(
    kind: str, fields: dict[str, Any], expected: tuple[str, str, str, str] | None
) -> None:
    fact = Event("e9", f"population.{kind}.v1", "r1", utc_now(), b"{}", "")
    told = REGISTER_NEWS[fact.type](fields)
    if expected is None:
        assert told is None
        return
    assert told is not None
    (made,) = news_of(fact, told, thing_of(fact.type, fields), Roster([]))
    stored = msgspec.to_builtins(made.notice, builtin_types=(dt.datetime,))
    assert (made.notice.kind, ",".join(made.notice.roles), made.notice.about_id) == expected[:3]
    assert message_text([stored], count=1, language=Language.ZH) == expected[3]
    assert made.notice.severity == ("s1" if made.notice.kind is NoticeKind.WELFARE else "s3")


def test_the_register_tells_facts_of_its_own() -> None:
    theirs = population_events.DESCRIPTOR.message_types_by_name.values()
    assert set(REGISTER_NEWS) <= {one.GetOptions().Extensions[options_pb2.event] for one in theirs}


def test_the_time_of_a_fact_is_when_it_happened() -> None:
    long_ago = NOW - dt.timedelta(days=2)
    assert when({"closed_at": long_ago}, NOW) == long_ago
    assert when({"task": {"assigned_at": long_ago}}, NOW) == long_ago
    assert when({}, NOW) == NOW
    assert is_history(long_ago, NOW)
    assert not is_history(NOW - dt.timedelta(hours=23), NOW)


# ------------------------------------------------------------------------------------------------------------------- notices


def event(kind: str = "case_closed", id: str = "e1") -> Event:
    return Event(id, f"mediation.{kind}.v1", CASE["_id"], NOW, b"{}", "")


def duty(subject: str, **fields: Any) -> Duty:
    given: dict[str, Any] = {"role": "DEPT_LEAD", "department": "FIRE", "area_code": "420502", "channels": (NoticeChannel.SMS,)}
    return Duty(duty_id=f"duty-{subject}", subject=subject, name="x", created_at=NOW, changed_at=NOW, **(given | fields))


def test_those_on_duty_for_the_area_get_mail() -> None:
    roster = Roster(
        [
            duty("li"),
            duty("wang", area_code=AREA),
            duty("far", area_code="420503"),
            duty("other", department="UMD"),
            duty("handler", role="DEPT_HANDLER"),
            duty("pages-only", channels=()),
            duty("asleep", from_minute=0, until_minute=60),
        ]
    )
    fields = {"case_id": CASE["_id"], "closed_at": NOW}
    lead, reporter = notices_of(event(), fields, CASES, roster)
    assert lead.notice.subjects == ("li", "wang", "handler", "pages-only")
    assert [piece.recipient for piece in lead.mail] == ["li", "wang", "handler"]
    assert lead.mail[0].entry.contact == Contact(duty_id="duty-li")
    assert (reporter.notice.subjects, reporter.notice.roles, reporter.mail) == (("zhao",), (), ())


def test_reporters_who_gave_a_number_get_mail_without_it_being_copied() -> None:
    case = {**CASE, "reporter": {"subject": "zhao", "phone": "13800000000"}}
    *_, reporter = notices_of(event(), {"case_id": CASE["_id"], "closed_at": NOW}, {case["_id"]: case}, Roster([]))
    assert [(piece.recipient, piece.entry.contact) for piece in reporter.mail] == [("zhao", Contact(case_id=CASE["_id"]))]
    assert "13800000000" not in repr(reporter)


def test_one_person_gets_one_message_about_one_thing() -> None:
    fields = {"case_id": CASE["_id"], "light": "red", "clock": "resolve", "due_at": NOW, **TASK}
    both = Roster([duty("li"), duty("li", role="SUPERVISION", department="")])
    made = list(notices_of(event("light_turned"), fields, CASES, both))
    assert len(made) == 2
    assert [len(one.mail) for one in made] == [1, 0]


def test_the_same_event_makes_the_same_notices() -> None:
    fields = {"case_id": CASE["_id"], "closed_at": NOW}
    once, again = (list(notices_of(event(), fields, CASES, Roster([]))) for _ in range(2))
    assert once == again
    assert len({one.notice.notice_id for one in once}) == 2
    other = list(notices_of(event(id="e2"), fields, CASES, Roster([])))
    assert {one.notice.notice_id for one in once}.isdisjoint(one.notice.notice_id for one in other)


@pytest.mark.parametrize(("severity", "at_night", "urgent"), [("s1", False, True), ("s2", False, False), ("s4", True, True)])
def test_life_and_night_duty_do_not_wait_for_the_morning(severity: str, at_night: bool, urgent: bool) -> None:
    case = {**CASE, "severity": severity}
    fields = {"case_id": CASE["_id"], "closed_at": NOW}
    made = list(notices_of(event(), fields, {case["_id"]: case}, Roster([duty("li", at_night=at_night)])))
    assert [piece.entry.urgent for piece in made[0].mail] == [urgent]


def test_reporters_of_merged_cases_hear_how_it_ended_each_of_the_own_case() -> None:
    follower = {**CASE, "_id": "f1", "number": "420502-2026-000777", "reporter": {"subject": "qian", "phone": "13911111111"}}
    gone = {**CASE, "_id": "f2", "reporter": {"subject": "sun"}}
    parent = {**CASE, "followers": [{"case_id": "f1"}, {"case_id": "f2", "left_at": NOW}, {"case_id": "unknown"}]}
    assert followed(parent) == ["f1", "unknown"]
    cases = {parent["_id"]: parent, "f1": follower, "f2": gone}
    made = list(notices_of(event(), {"case_id": CASE["_id"], "closed_at": NOW}, cases, Roster([])))
    told = {one.notice.subjects: (one.notice.case_id, one.notice.number, one.mail) for one in made if one.notice.subjects}
    assert set(told) == {("zhao",), ("qian",)}
    case_id, number, mail = told[("qian",)]
    assert (case_id, number, mail[0].entry.contact) == ("f1", "420502-2026-000777", Contact(case_id="f1"))


def test_suspected_violence_is_told_to_nobody_who_may_not_know() -> None:
    victim = {**CASE, "category": PROTECTED_CATEGORY, "reporter": {"subject": "zhao", "phone": "13800000000"}}
    fields = {"case_id": CASE["_id"], "light": "red", "clock": "resolve", "due_at": NOW, **TASK}
    roster = Roster(
        [duty("li"), duty("watch", role="SUPERVISION", department=""), duty("desk", role="DISPATCHER", department="")]
    )
    department, overseers = notices_of(event("light_turned"), fields, {CASE["_id"]: victim}, roster)
    assert department.notice.subjects == ("li",)
    assert overseers.notice.subjects == ("desk",)
    assert [piece.recipient for piece in overseers.mail] == ["desk"]
    *_, reporter = notices_of(event(), {"case_id": CASE["_id"], "closed_at": NOW}, {CASE["_id"]: victim}, Roster([]))
    assert (reporter.notice.subjects, reporter.mail) == (("zhao",), ()), "no text message: others may read it"
    shown = line({**stored(NoticeKind.RED), "category": PROTECTED_CATEGORY, "reason": "家庭暴力警情"}, Language.ZH)
    assert "矛盾纠纷" in shown
    assert "暴力" not in shown


def test_pages_hide_it_too() -> None:
    ordinary = addressed_to(Caller("x", roles=frozenset({"SUPERVISION"}), area="4205"))
    protecting = addressed_to(Caller("y", roles=frozenset({"DISPATCHER"}), area="4205"))
    assert ordinary["$or"][1]["$or"][0] == {"category": {"$ne": PROTECTED_CATEGORY}}
    assert "$or" not in protecting["$or"][1]


def test_history_is_not_told() -> None:
    fields = {"case_id": CASE["_id"], "closed_at": NOW - dt.timedelta(days=3)}
    assert not list(notices_of(event(), fields, CASES, Roster([duty("li")])))


def test_an_area_lies_in_all_its_prefixes() -> None:
    assert containing(AREA) == ("4205", "420502", "420502001", "420502001003", AREA)
    assert containing("") == ()


# --------------------------------------------------------------------------------------------------------------------- words


def stored(kind: NoticeKind, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "number": CASE["number"], "category": "A0204", "department": "FIRE", **fields}


@pytest.mark.parametrize("language", [Language.ZH, Language.EN])
@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind is not NoticeKind.UNSPECIFIED])
def test_every_kind_has_its_words(kind: NoticeKind, language: Language) -> None:
    full = line(stored(kind, clock="resolve", due_at=NOW, positive=True, reason="缺照片"), language)
    bare = line(stored(kind, department="", clock=None), language)
    assert full.startswith(TITLES[language][kind])
    assert CASE["number"] in full
    assert "{" not in full + bare
    assert "，，" not in bare
    assert "None" not in full + bare


def test_a_line_says_case_department_and_time() -> None:
    zh = line(stored(NoticeKind.RED, clock="resolve", due_at=NOW), Language.ZH)
    assert zh == "红灯 420502-2026-000123 公共部位占用堆物，消防救援大队，办结已超时，时限11-22 12:00"
    en = line(stored(NoticeKind.RULED, positive=False), Language.EN)
    assert en == "Ruling 420502-2026-000123 Occupying common parts, Fire & rescue, overruled"


def test_numbers_in_reasons_do_not_go_out() -> None:
    said = line(stored(NoticeKind.REJECTED, reason="请找张三 13812345678 或 420502199001011234"), Language.ZH)
    assert said.endswith("：请找张三 *** 或 ***")


def test_a_digest_ends_with_how_many_more() -> None:
    one = stored(NoticeKind.CLOSED)
    assert message_text([one], count=1, language=Language.ZH).startswith("【并联】已结案")
    text = message_text([one] * 20, count=33, language=Language.EN).splitlines()
    assert (text[0], text[-1]) == ("[Binglian] 33 notices:", f"{33 - MOST_LINES} more: please sign in.")
    assert "more" not in message_text([one] * 2, count=2, language=Language.EN)


def test_names_come_from_the_tables() -> None:
    assert category_name("C0101", Language.ZH) == "上水井盖"
    assert category_name("B01", Language.EN) == "Blocked escape route or exit"
    assert (category_name("A9999", Language.ZH), category_name("?", Language.ZH)) == ("矛盾纠纷", "?")
    assert (department_name("FIRE", Language.EN), department_name("", Language.EN)) == ("Fire & rescue", "")


# ------------------------------------------------------------------------------------------------------------------ contract


@pytest.mark.parametrize("name", list(notice_pb2.DESCRIPTOR.enum_types_by_name))
def test_every_enum_has_the_values_of_its_proto(name: str) -> None:
    descriptor = notice_pb2.DESCRIPTOR.enum_types_by_name[name]
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    ours = set(getattr(domain, name)) - {"unspecified"}
    assert {value.name.removeprefix(prefix).lower() for value in descriptor.values} - {"unspecified"} == ours


@pytest.mark.parametrize(
    ("name", "shown", "own"),
    [
        ("Notice", {"over", "read"}, {"created_at", "keep_until", "roles", "post_department", "subjects", "read_by"}),
        ("Delivery", set(), {"keep_until", "claimed_by", "contact"}),
        ("DeliveryAttempt", set(), set()),
        ("Duty", set(), set()),
    ],
)
def test_every_struct_has_the_fields_of_its_message(name: str, shown: set[str], own: set[str]) -> None:
    fields = {field.name for field in notice_pb2.DESCRIPTOR.message_types_by_name[name].fields}
    assert set(getattr(domain, name).__struct_fields__) - own == fields - shown
