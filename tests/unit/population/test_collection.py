"""Dynamic collection: no value is lost or overwritten in silence, whatever the order in which sources speak."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from population.domain.collection import (
    ConflictChoice,
    FieldEdit,
    FieldLedger,
    FieldOutcome,
    FieldsAccepted,
    FieldValue,
    Registered,
)
from population.domain.verification import Attachment
from population.operations.collection import (
    Reader,
    complete_check,
    note_correction,
    observe_record,
    outcome_of,
    resolve_conflict,
    submit_fields,
)
from population.policies.collection import OVERRIDDEN_KEPT, check_corrector, saw
from population.vault import FieldKeys, Vault
from svckit.access import Caller
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

VAULT = Vault(FieldKeys.of(b"k" * 32))
START = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
WORKER = Caller(subject="worker", roles=frozenset({"GRID_WORKER"}))
NAMES = ("王一", "王二", "王三")
PHONES = ("13800000001", "13800000002", "13800000003")
EVIDENCE = (Attachment(uri="photo:1"),)


def registered(at: dt.datetime = START, **values: str) -> Registered:
    return Registered(
        resident_id="r1", city="4205", area_code="42050200100310001", changed_at=at, values={"resident_type": "01"} | values
    )


def test_what_was_collected_offline_stays_while_the_register_has_yet_to_follow() -> None:
    """Two proposals made in a dead spot arrive at once; a colleague changed something else of the person in between."""
    person = registered(at=START + dt.timedelta(hours=2), name=NAMES[0], phone=PHONES[0])
    seen, now = START + dt.timedelta(hours=1), START + dt.timedelta(hours=5)
    ledger = None
    for value in (PHONES[1], PHONES[2]):
        edit = FieldEdit(field="phone", value=value, seen=PHONES[0] if value == PHONES[1] else PHONES[1])
        ledger, _ = submit_fields(
            ledger, registered=person, edits=[edit], by=WORKER, observed_at=seen, check_id="c", texts=VAULT, now=now
        )
    edit = FieldEdit(field="name", value=NAMES[1], seen=NAMES[0])
    ledger, _ = submit_fields(
        ledger, registered=person, edits=[edit], by=WORKER, observed_at=seen, check_id="c", texts=VAULT, now=now
    )
    values = {entry.field: Reader(VAULT, "r1").text(entry.accepted, entry.field) for entry in ledger.entries}
    assert (values["phone"], values["name"]) == (PHONES[2], NAMES[1])
    # Somebody who changes it in the register itself is heard, also one who goes back to the former value.
    later = registered(at=now + dt.timedelta(hours=1), name=NAMES[1], phone=PHONES[0])
    back, _ = note_correction(ledger, registered=later, by="steward", texts=VAULT, now=now + dt.timedelta(hours=1))
    values = {entry.field: Reader(VAULT, "r1").text(entry.accepted, entry.field) for entry in back.entries}
    assert values["phone"] == PHONES[0]


class Sources(RuleBasedStateMachine):
    """Grid workers, departments and deciding people speak in any order; the register follows at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START + dt.timedelta(hours=1)
        self.ledger: FieldLedger | None = None
        self.values = {"name": NAMES[0], "phone": PHONES[0]}
        self.serial = 0
        self.ever: dict[str, set[str]] = {"name": {NAMES[0]}, "phone": {PHONES[0]}}

    def decide(self, verb: Any, **arguments: Any) -> tuple[Any, ...]:
        self.now += dt.timedelta(minutes=1)
        self.serial += 1
        before = self.ledger
        self.ledger, events = verb(before, check_id=f"check-{self.serial}", texts=VAULT, now=self.now, **arguments)
        for event in events:
            if isinstance(event, FieldsAccepted):
                for field in event.fields:
                    self.values[field] = self.text(field)
                    self.ever[field].add(self.values[field])
        return events

    def text(self, field: str) -> str:
        assert self.ledger
        entry = next(one for one in self.ledger.entries if one.field == field)
        return Reader(VAULT, "r1").text(entry.accepted, field)

    def person(self) -> Registered:
        return registered(at=START, **self.values)

    @rule(field=st.sampled_from(["name", "phone"]), index=st.integers(0, 2), stale=st.booleans(), who=st.sampled_from("ab"))
    def submits(self, field: str, index: int, stale: bool, who: str) -> None:
        value = (NAMES if field == "name" else PHONES)[index]
        present = self.values[field]
        edit = FieldEdit(field=field, value=value, seen="stale" if stale else present)
        by = Caller(subject=who)
        self.decide(submit_fields, registered=self.person(), edits=[edit], by=by, observed_at=None)
        assert self.ledger
        outcome = outcome_of(self.ledger, edit)
        if outcome is FieldOutcome.ACCEPTED:
            assert self.text(field) == value
        else:
            assert self.text(field) == present
        if stale and value != present and outcome is FieldOutcome.ACCEPTED:
            # Only a department that says the same lets somebody overwrite what they did not see.
            entry = next(one for one in self.ledger.entries if one.field == field)
            assert entry.accepted.verified

    @rule(field=st.sampled_from(["name", "phone"]), index=st.integers(0, 2), source=st.sampled_from(["PSB", "HEALTH"]))
    def observes(self, field: str, index: int, source: str) -> None:
        value = (NAMES if field == "name" else PHONES)[index]
        present = self.values[field]
        self.decide(
            observe_record,
            registered=self.person(),
            fields=[FieldValue(field=field, value=value)],
            source=source,
            by="feed",
            as_of=self.now,
        )
        # A department never overwrites what is there.
        assert self.text(field) == present

    @precondition(lambda self: self.ledger and self.ledger.check)
    @rule(index=st.integers(0, 2), decline=st.booleans())
    def looks(self, index: int, decline: bool) -> None:
        assert self.ledger
        assert self.ledger.check
        asked, check_id = self.ledger.check.fields, self.ledger.check.check_id
        found = [] if decline else [FieldValue(field=one, value=(NAMES if one == "name" else PHONES)[index]) for one in asked]
        self.now += dt.timedelta(minutes=1)
        self.ledger, _ = complete_check(
            self.ledger,
            registered=self.person(),
            check_id=check_id,
            found=found,
            declined=asked if decline else [],
            evidence=EVIDENCE,
            revision=0,
            by=WORKER,
            happened_at=None,
            texts=VAULT,
            now=self.now,
        )
        for one in found:
            assert self.text(one.field) == one.value
            self.values[one.field] = one.value
            self.ever[one.field].add(one.value)
            entry = next(each for each in self.ledger.entries if each.field == one.field)
            assert entry.accepted.verified
            assert entry.accepted.evidence == EVIDENCE
            assert entry.conflict is None

    @precondition(lambda self: self.ledger and self.ledger.conflicts)
    @rule(choice=st.sampled_from(list(ConflictChoice)))
    def decides(self, choice: ConflictChoice) -> None:
        assert self.ledger
        entry = next(one for one in self.ledger.entries if one.conflict)
        present = self.values[entry.field]
        late = Reader(VAULT, "r1").text(entry.conflict.late, entry.field)  # type: ignore[union-attr]
        before = self.ledger.conflicts
        self.decide(resolve_conflict, field=entry.field, choice=choice, revision=0, by=WORKER)
        assert self.ledger.conflicts == before - 1
        assert self.text(entry.field) == (late if choice is ConflictChoice.REPLACE else present)

    @invariant()
    def the_register_says_what_is_accepted(self) -> None:
        if self.ledger:
            for field, value in self.values.items():
                assert self.text(field) == value

    @invariant()
    def what_counted_once_stays_visible(self) -> None:
        if not self.ledger:
            return
        reader = Reader(VAULT, "r1")
        for entry in self.ledger.entries:
            if entry.field in self.ever and len(entry.overridden) < OVERRIDDEN_KEPT:
                shown = {reader.text(one, entry.field) for one in (entry.accepted, *entry.overridden)}
                assert self.ever[entry.field] <= shown

    @invariant()
    def sealed_values_stay_sealed(self) -> None:
        assert not any(phone in repr(self.ledger) for phone in PHONES)


TestSources = Sources.TestCase
TestSources.settings = settings(max_examples=30, stateful_step_count=12, deadline=None)


def test_a_value_that_was_found_wrong_is_not_asked_about_again() -> None:
    def told(ledger: FieldLedger | None, at: int) -> Any:
        return observe_record(
            ledger,
            registered=registered(name="王一"),
            fields=[FieldValue(field="name", value="王二")],
            source="PSB",
            by="feed",
            as_of=START,
            check_id=f"c{at}",
            texts=VAULT,
            now=START + dt.timedelta(hours=at),
        )

    ledger, _ = told(None, 1)
    assert ledger.check.fields == ("name",)
    ledger, _ = complete_check(
        ledger,
        registered=registered(name="王一"),
        check_id="c1",
        found=[FieldValue(field="name", value="王一")],
        declined=[],
        evidence=EVIDENCE,
        revision=0,
        by=WORKER,
        happened_at=None,
        texts=VAULT,
        now=START + dt.timedelta(hours=2),
    )
    ledger, events = told(ledger, 3)
    assert (ledger.check, events) == (None, ())


def test_every_field_of_a_check_is_answered() -> None:
    ledger, _ = observe_record(
        None,
        registered=registered(name="王一"),
        fields=[FieldValue(field="name", value="王二")],
        source="PSB",
        by="feed",
        as_of=START,
        check_id="c1",
        texts=VAULT,
        now=START,
    )

    def done(check_id: str = "c1", *fields: str) -> None:
        complete_check(
            ledger,
            registered=registered(name="王一"),
            check_id=check_id,
            found=[FieldValue(field=field, value="王一") for field in fields],
            declined=[],
            evidence=EVIDENCE,
            revision=0,
            by=WORKER,
            happened_at=None,
            texts=VAULT,
            now=START,
        )

    with pytest.raises(InvalidArgument, match="Nothing is said"):
        done()
    with pytest.raises(InvalidArgument, match="not asked"):
        done("c1", "name", "name_latin")
    with pytest.raises(FailedPrecondition, match="done before"):
        done("c2", "name")


@given(value=st.text("0123456789", max_size=12), hidden=st.sets(st.integers(0, 11)))
def test_a_masked_value_counts_as_seen(value: str, hidden: set[int]) -> None:
    assert saw("".join("*" if at in hidden else char for at, char in enumerate(value)), value)
    assert not saw(value + "1", value)


def test_only_stewards_and_imports_change_collected_fields_in_the_register() -> None:
    with pytest.raises(PermissionDenied) as refused:
        check_corrector(WORKER, ["household_id", "phone"])
    assert (refused.value.reason, refused.value.metadata) == ("SUBMIT_FIELDS", {"field": "phone"})
    check_corrector(WORKER, ["household_id", "area_code"])
    check_corrector(Caller(subject="steward", roles=frozenset({"DATA_STEWARD"})), ["phone", "name"])


def test_a_correction_in_the_register_says_whose_it_is_and_the_value_before_stays_visible() -> None:
    before = FieldEdit(field="name", value=NAMES[0])
    ledger, _ = submit_fields(
        None,
        registered=registered(),
        edits=[before],
        by=WORKER,
        observed_at=None,
        check_id="c",
        texts=VAULT,
        now=START + dt.timedelta(hours=1),
    )
    corrected = registered(START + dt.timedelta(days=1), name=NAMES[1])
    ledger, events = note_correction(ledger, registered=corrected, by="steward", texts=VAULT, now=corrected.changed_at)
    name = next(entry for entry in ledger.entries if entry.field == "name")
    assert (name.accepted.value, name.accepted.source, name.accepted.by) == (NAMES[1], "REGISTER", "steward")
    assert [(one.value, one.by) for one in name.overridden] == [(NAMES[0], "worker")]
    assert events == ()
