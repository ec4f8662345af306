"""The rules of life events: who may tell what, what makes it lawful, when the work is due (life_event_rule.csv)."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec

from population.codes import rows_of
from population.domain.life_event import Consent, LifeEvent, LifeEventReport, LifeEventState, Subject
from population.domain.standing import ResidentStatus
from population.policies.requests import Actor, local_day, read_day
from population.privacy.screening import check_rule
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

LIFE_EVENT_TRANSITIONS: dict[str, tuple[frozenset[LifeEventState | None], LifeEventState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "report": (frozenset({None}), LifeEventState.OPEN),
    "complete": (frozenset({LifeEventState.OPEN}), LifeEventState.COMPLETED),
    "cancel": (frozenset({LifeEventState.OPEN}), LifeEventState.CANCELLED),
    "withdraw": (frozenset({LifeEventState.OPEN, LifeEventState.COMPLETED}), LifeEventState.WITHDRAWN),
    "take_up": (frozenset({LifeEventState.CANCELLED}), LifeEventState.OPEN),
}
DEATH, MOVE_OUT = "LE02", "LE04"
ENTITLING_AGES: Mapping[str, tuple[int, ...]] = {"LE05": (18,), "LE06": (60, 65, 80)}
"""Ages in full years that open something (law on the election of people's congresses, elder benefits), by rule."""
ONCE = frozenset({"LE02"})
"""What happens to a person once: told with another date it is the same."""
TOLD = ("id_number", "contact_name", "address", "house_id", "uscc", "detail", "ordinal")
"""Fields of a report that are for some rules only."""
LEADERS = frozenset({"GRID_LEADER", "GRID_SUPERVISOR"})
"""Who may do the work of others in their area (grid_role.csv)."""
STANDS_IN = {"GRID_WORKER": "GRID_SOCIAL"}
"""The social worker of a grid goes where its worker would."""
BEFORE_ELECTION = timedelta(days=20)
"""The roll is published 20 days before election day (Electoral Law, article 28)."""
_SUFFICES: Mapping[str, frozenset[Consent | None]] = {
    "consent": frozenset({Consent.GIVEN, Consent.WRITTEN}),
    "written": frozenset({Consent.WRITTEN}),
    "informed": frozenset({Consent.INFORMED, Consent.GIVEN, Consent.WRITTEN}),
    "statutory": frozenset({None, *Consent}),
    "public": frozenset({None, *Consent}),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A row of life_event_rule.csv; `due_days` None where another date decides, `fields` what may be told beside whom and when."""

    code: str
    source_dept: str
    assignee_role: str
    due_days: int | None
    consent: str
    subject: str
    fields: frozenset[str]
    task: str


@functools.cache
def _rules() -> Mapping[str, Rule]:
    return {row["code"]: _rule(row) for row in rows_of("life_event_rule")}


def _rule(row: Mapping[str, str]) -> Rule:
    check_rule({name: row[name] for name in ("zh", "task_zh")})
    return Rule(
        code=row["code"],
        source_dept=row["source_dept"],
        assignee_role=row["assignee_role"],
        due_days=int(row["due_days"]) if row["due_days"] else None,
        consent=row["consent"],
        subject=row["subject"],
        fields=frozenset(row["fields"].split(";")),
        task=row["task_zh"],
    )


def rule_of(code: str) -> Rule:
    """Returns a rule. Raises InvalidArgument (RULE_UNKNOWN)."""
    if code not in _rules():
        raise InvalidArgument("There is no such rule.", reason="RULE_UNKNOWN", field="rule")
    return _rules()[code]


def check_report(report: LifeEventReport, *, today: date) -> Rule:
    """Returns the rule of a report. Raises InvalidArgument (RULE_UNKNOWN, RULE_IS_STATISTICAL, FIELD_NOT_FOR_RULE, SUBJECT_MISSING,
    DATE_INVALID, IN_THE_FUTURE), FailedPrecondition (CONSENT_MISSING)."""
    rule = rule_of(report.rule)
    if rule.consent == "statistics":
        raise InvalidArgument("This is counted, no list of people is made.", reason="RULE_IS_STATISTICAL", field="rule")
    if read_day(report.occurred_on, field="occurred_on") > today:
        raise InvalidArgument("It cannot have happened in the future.", reason="IN_THE_FUTURE", field="occurred_on")
    check_consent(rule.consent, report.consent)
    _check_fields(rule, report)
    _check_subject(rule, report)
    return rule


def _check_fields(rule: Rule, report: LifeEventReport) -> None:
    """Nothing is told that the work does not need (min_fields of life_event_rule.csv): no identity number of a mother.

    The table wants the number of the dead as a hash. A plain hash of a number that follows a rule is undone by trying, so it comes in
    clear through TLS, becomes the keyed index the person is found by, and is neither kept nor logged.
    """
    for name in TOLD:
        if getattr(report, name) and name not in rule.fields:
            raise InvalidArgument(
                f"{rule.code} is told without it: {', '.join(sorted(rule.fields - {''}))}.",
                reason="FIELD_NOT_FOR_RULE",
                field=name,
            )


def check_concerns(rule: Rule, subject: Subject) -> None:
    """Raises FailedPrecondition (DEPARTED): nothing begins for the dead but their death, nor for entries void or merged.

    Who moved away may have come back.
    """
    gone = subject.status not in (None, ResidentStatus.MOVED_OUT)
    if gone and not (subject.status is ResidentStatus.DECEASED and rule.code == DEATH):
        raise FailedPrecondition(
            "The person died, or the entry stands for nobody any more.",
            reason="DEPARTED",
            metadata={"status": str(subject.status)},
        )


def check_consent(needed: str, given: Consent | None) -> None:
    """Raises FailedPrecondition (CONSENT_MISSING) unless what was given suffices: consent, written, informed, statutory, public."""
    if given not in _SUFFICES[needed]:
        raise FailedPrecondition(
            "This needs the person's consent; without it nothing is kept.",
            reason="CONSENT_MISSING",
            metadata={"needed": needed},
        )


def _check_subject(rule: Rule, report: LifeEventReport) -> None:
    person = report.resident_id or report.id_number or (report.contact_name and (report.address or report.house_id))
    named = {"person": person, "house": report.house_id, "place": report.uscc}[rule.subject]
    if not named:
        field = {"person": "resident_id", "house": "house_id", "place": "uscc"}[rule.subject]
        raise InvalidArgument(f"This rule is about a {rule.subject}: say which.", reason="SUBJECT_MISSING", field=field)


def check_assignee(event: LifeEvent, by: Actor) -> None:
    """Raises PermissionDenied (OTHER_ROLE): the work is for the role the rule names, or for who leads it."""
    role = event.assignee_role
    if by.roles.isdisjoint({role, STANDS_IN.get(role, role), *LEADERS}):
        raise PermissionDenied("This work is for another role.", reason="OTHER_ROLE", metadata={"assignee_role": role})


def check_source(rule: Rule, by: Actor) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT): a department tells what is its own, the grid what it sees."""
    check_department(rule, by.department)


def check_department(rule: Rule, department: str) -> None:
    """Raises PermissionDenied (OTHER_DEPARTMENT) when another department than `department` ("" for none) tells this."""
    if department and department != rule.source_dept:
        raise PermissionDenied(
            "This is for another department to tell.", reason="OTHER_DEPARTMENT", metadata={"department": rule.source_dept}
        )


def due_of(rule: Rule, *, now: datetime, election_day: date | None) -> datetime:
    """Returns when the work is due: days after now, or 20 days before election day."""
    if rule.due_days is not None:
        return now + timedelta(days=rule.due_days)
    if election_day is None:
        raise InvalidArgument("No election is announced; this is due for one.", reason="NO_ELECTION", field="rule")
    midnight = datetime.combine(election_day, datetime.min.time(), tzinfo=now.tzinfo)
    return max(now, midnight - BEFORE_ELECTION)


def check_life_event(event: LifeEvent, verb: str) -> LifeEventState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE)."""
    sources, target = LIFE_EVENT_TRANSITIONS[verb]
    if event.state not in sources:
        raise FailedPrecondition(
            f"A life event that is {event.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": event.state}
        )
    return target


def rests_on_law(event: LifeEvent) -> bool:
    """Tells whether the law asks for the work of an event, whatever the person agrees to."""
    return rule_of(event.rule).consent == "statutory"


def check_withdrawable(event: LifeEvent) -> None:
    """Raises FailedPrecondition (STATUTORY): what a law asks for is not the person's to withdraw."""
    if rests_on_law(event):
        raise FailedPrecondition("The law asks for this; it does not rest on consent.", reason="STATUTORY")


def birthday(born: date, year: int) -> date:
    """Returns the birthday in a year; who was born on 29 February has it on 1 March in other years."""
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def births_of(days: frozenset[date], age: int) -> frozenset[str]:
    """Returns the birth dates of those who reach `age` on one of the days."""
    found: set[str] = set()
    for day in days:
        year = day.year - age
        candidates = [date(year, day.month, day.day)] if (day.month, day.day) != (2, 29) or _leaps(year) else []
        if (day.month, day.day) == (3, 1) and not _leaps(day.year) and _leaps(year):
            candidates.append(date(year, 2, 29))
        found.update(born.isoformat() for born in candidates)
    return frozenset(found)


def _leaps(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def reached_on(birth_date: str, age: int) -> str:
    """Returns the day somebody reaches an age, YYYY-MM-DD."""
    born = date.fromisoformat(birth_date)
    return birthday(born, born.year + age).isoformat()


def days_between(through: date, now: datetime) -> frozenset[date]:
    """Returns the days after `through` up to today in China: more than one after a downtime."""
    today = local_day(now)
    return frozenset(through + timedelta(days=step) for step in range(1, (today - through).days + 1))
