"""People who come and go: moves, 人户分离, deaths, mistakes; heads of households. Without I/O."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from population import operations
from population.domain.residence import ResidenceDraft, ResidenceKind
from population.domain.resident import Resident, ResidentDraft
from population.domain.standing import ResidentStatus
from population.operations import documents, moves
from population.policies.households import relation_to
from population.policies.residences import match_flag
from population.vault import FieldKeys, Vault
from svckit.access import Caller
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound

NOW = dt.datetime(2026, 3, 1, 17, 0, tzinfo=dt.UTC)  # it is the 2nd in China
GRID, OTHER_GRID, CITY = "42050200100310001", "42050300100110001", "4205"
VAULT = Vault(FieldKeys.of(bytes(32)))
CLERK = Caller(subject="clerk")


def entered(*, registered: str = "", home: str = "h1", **fields: object) -> Resident:
    place = ResidenceDraft(area_code=registered, since="2000-01-01") if registered else None
    housed = ResidenceDraft(house_id=home, since="2020-01-01") if home else None
    draft = ResidentDraft(**({"area_code": GRID, "name": "王小明", "residence": housed, "registered": place} | fields))  # type: ignore[arg-type]
    made, _ = operations.create_resident(
        draft=draft, resident_id="r", residence_id="a", registered_id="b", seal=VAULT.seal, now=NOW
    )
    return made


def moved(resident: Resident, *, house: str, area: str = GRID, since: str = "2026-02-01", id: str = "c") -> Resident:
    home = ResidenceDraft(house_id=house, area_code=area, since=since)
    return moves.move_resident(resident, home=home, residence_id=id, revision=0, now=NOW)[0]


@pytest.mark.parametrize(
    ("registered", "flag", "kind"),
    [
        ("", "", "09"),
        (GRID, "01", "01"),
        (GRID[:12], "01", "01"),
        ("420502001004", "02", "04"),
        ("420503001001", "02", "04"),
        ("4403", "02", "03"),
        ("44", "02", "03"),
        ("420502", "", "09"),
    ],
)
def test_where_somebody_lives_and_is_registered_makes_the_kind(registered: str, flag: str, kind: str) -> None:
    resident = entered(registered=registered)
    assert (resident.match_flag, resident.resident_type) == (flag, kind)


def test_what_was_said_about_the_kind_counts() -> None:
    assert entered(registered=GRID, resident_type="06").resident_type == "06"
    assert entered(id_doc_type="516", id_number="H12345678").resident_type == "05"


def test_a_move_ends_the_old_home_the_day_before_and_changes_the_area() -> None:
    resident, facts = moves.move_resident(
        entered(registered=GRID),
        home=ResidenceDraft(house_id="h2", area_code=OTHER_GRID, since="2026-02-01"),
        residence_id="c",
        revision=0,
        now=NOW,
    )
    assert [(item.house_id, item.until) for item in resident.residences] == [("", ""), ("h1", "2026-01-31"), ("h2", "")]
    assert (resident.area_code, resident.match_flag, resident.resident_type) == (OTHER_GRID, "02", "04")
    assert [type(fact).__name__ for fact in facts] == ["ResidenceEnded", "ResidenceStarted", "ResidentMoved"]
    back = moved(resident, house="h1", since="2026-03-01", id="d")
    assert (back.area_code, back.match_flag, back.resident_type) == (GRID, "01", "01")


@pytest.mark.parametrize(
    ("home", "reason"),
    [
        (ResidenceDraft(house_id="h2", area_code="420602001001"), "OTHER_CITY"),
        (ResidenceDraft(house_id="h2", area_code="4205"), "AREA_INVALID"),
        (ResidenceDraft(area_code=GRID), "HOUSE_MISSING"),
        (ResidenceDraft(house_id="h2", since="2026-03-03"), "IN_THE_FUTURE"),
        (ResidenceDraft(house_id="h1"), "ALREADY_LIVES_THERE"),
    ],
)
def test_wrong_moves_are_refused(home: ResidenceDraft, reason: str) -> None:
    with pytest.raises((InvalidArgument, FailedPrecondition)) as refusal:
        moves.move_resident(entered(), home=home, residence_id="c", revision=0, now=NOW)
    assert refusal.value.reason == reason


def away(resident: Resident) -> Resident:
    return moves.move_away(resident, to_area_code="4403", until="2026-02-10", reason="", by=CLERK, revision=0, now=NOW)[0]


def test_who_leaves_the_city_departs_but_not_from_the_household_register() -> None:
    gone = away(entered(registered="4403"))
    assert gone.standing is not None
    assert (gone.standing.status, gone.standing.to_area_code) == (ResidentStatus.MOVED_OUT, "4403")
    stays = away(entered(registered=GRID))
    assert (stays.standing, stays.match_flag, stays.resident_type) == (None, "02", "02")


def test_who_moved_out_moves_in_again_and_what_ended_stays_ended() -> None:
    gone = away(entered(registered="4403"))
    home = ResidenceDraft(house_id="h2", area_code=OTHER_GRID, since="2026-02-20")
    back, facts = moves.move_resident(gone, home=home, residence_id="c", revision=0, now=NOW)
    assert (back.standing, back.area_code) == (None, OTHER_GRID)
    assert [(item.house_id, item.until) for item in back.residences][1:] == [("h1", "2026-02-10"), ("h2", "")]
    assert [type(fact).__name__ for fact in facts] == ["ResidenceStarted", "ResidentMoved"]
    assert (facts[-1].from_area_code, facts[-1].to_area_code) == ("4403", OTHER_GRID)  # type: ignore[union-attr]
    with pytest.raises(InvalidArgument) as refusal:
        moved(gone, house="h2", since="2026-02-09")
    assert (refusal.value.reason, refusal.value.field) == ("BEFORE_LEAVING", "home.since")


def test_a_death_ends_every_residence_and_can_be_taken_back() -> None:
    before = entered(registered=GRID, birth_date="1950-01-01")
    dead, facts = moves.record_death(before, died_on="2026-01-15", reason="证明", by=CLERK, revision=0, now=NOW)
    assert {item.until for item in dead.residences} == {"2026-01-15"}
    assert type(facts[-1]).__name__ == "ResidentDied"
    with pytest.raises(FailedPrecondition, match="deceased"):
        moved(dead, house="h2")
    back, _ = moves.restore_resident(dead, revision=0, now=NOW)
    assert back == before
    for day, reason in (("2026-04-01", "IN_THE_FUTURE"), ("1949-12-31", "BEFORE_BIRTH"), ("2026-02-30", "DATE_INVALID")):
        with pytest.raises(InvalidArgument) as refusal:
            moves.record_death(before, died_on=day, reason="", by=CLERK, revision=0, now=NOW)
        assert refusal.value.reason == reason


def test_only_what_departed_is_restored() -> None:
    with pytest.raises(FailedPrecondition) as refusal:
        moves.restore_resident(entered(), revision=0, now=NOW)
    assert refusal.value.reason == "NOT_DEPARTED"


def with_document(resident: Resident, kind: str, number: str, *, primary: bool = False, id: str = "x") -> Resident:
    return documents.add_document(
        resident, kind=kind, number=number, primary=primary, document_id=id, seal=VAULT.seal, revision=0, now=NOW
    )[0]


def test_documents_stand_beside_the_first_or_before_it() -> None:
    resident = with_document(entered(), "516", "H12345678", primary=True)
    assert (resident.id_doc_type, resident.documents) == ("516", ())
    resident = with_document(resident, "414", "K1234567", primary=True, id="y")
    assert resident.id_doc_type == "414"
    assert [(item.document_id, item.id_doc_type) for item in resident.documents] == [("y", "516")]
    with pytest.raises(Conflict):
        with_document(resident, "516", "h1234567802", id="z")
    without, _ = documents.remove_document(resident, document_id="y", revision=0, now=NOW)
    assert without.documents == ()
    with pytest.raises(NotFound):
        documents.remove_document(without, document_id="y", revision=0, now=NOW)


def test_a_document_says_what_was_not_known_and_contradicts_nothing() -> None:
    resident = with_document(entered(), "111", "11010519491231002X")
    assert (resident.birth_date, resident.sex) == ("1949-12-31", "2")
    with pytest.raises(InvalidArgument) as refusal:
        with_document(entered(sex="1"), "111", "11010519491231002X")
    assert (refusal.value.reason, refusal.value.field) == ("SEX_CONTRADICTS", "id_number")


@pytest.mark.parametrize(
    ("new_head", "new_sex", "member", "sex", "relation"),
    [
        ("12", "2", "02", "1", "11"),
        ("12", "2", "20", "1", "20"),
        ("12", "2", "51", "1", "53"),
        ("11", "1", "52", "2", "56"),
        ("22", "1", "02", "1", "51"),
        ("22", "1", "12", "2", "52"),
        ("22", "1", "32", "2", "70"),
        ("22", "1", "41", "1", ""),
        ("51", "1", "02", "2", "30"),
        ("51", "1", "11", "1", "28"),
        ("51", "1", "20", "1", "40"),
        ("51", "1", "52", "2", "12"),
        ("28", "1", "02", "2", "56"),
        ("99", "1", "20", "1", "99"),
        ("75", "2", "02", "1", "70"),
        ("75", "2", "20", "1", ""),
        ("", "1", "20", "1", ""),
        ("20", "1", "02", "9", ""),
    ],
)
def test_relations_to_a_new_head(new_head: str, new_sex: str, member: str, sex: str, relation: str) -> None:
    assert relation_to(new_head=new_head, new_head_sex=new_sex, member=member, member_sex=sex) == relation


class Life(RuleBasedStateMachine):
    """Whatever happens to somebody, the history stays whole."""

    def __init__(self) -> None:
        super().__init__()
        self.resident = entered(registered=GRID)
        self.now = NOW
        self.count = 0

    def later(self) -> dt.datetime:
        self.count += 1
        self.now += dt.timedelta(days=2)
        return self.now

    @precondition(lambda self: self.resident.standing is None)
    @rule(house=st.sampled_from(["h1", "h2", "h3"]), area=st.sampled_from([GRID, OTHER_GRID]))
    def move(self, house: str, area: str) -> None:
        now = self.later()
        home = ResidenceDraft(house_id=house, area_code=area)
        lives_there = any(item.house_id == house and not item.until for item in self.resident.residences)
        with contextlib.suppress(FailedPrecondition):
            self.resident, _ = moves.move_resident(self.resident, home=home, residence_id=f"m{self.count}", revision=0, now=now)
            assert not lives_there

    @precondition(lambda self: self.resident.standing is None)
    @rule()
    def leave(self) -> None:
        self.resident, _ = moves.move_away(
            self.resident, to_area_code="44", until="", reason="", by=CLERK, revision=0, now=self.later()
        )

    @precondition(lambda self: self.resident.standing is None)
    @rule(void=st.booleans())
    def depart_and_return(self, void: bool) -> None:
        before, now = self.resident, self.later()
        if void:
            gone, _ = moves.void_resident(before, reason="x", by=CLERK, revision=0, now=now)
        else:
            gone, _ = moves.record_death(before, died_on="2026-03-01", reason="x", by=CLERK, revision=0, now=now)
        assert all(item.until for item in gone.residences)
        back, _ = moves.restore_resident(gone, revision=0, now=now)
        assert [item.until for item in back.residences] == [item.until for item in before.residences]
        assert back.standing is None

    @invariant()
    def history_is_whole(self) -> None:
        residences = self.resident.residences
        assert len({item.residence_id for item in residences}) == len(residences)
        assert all(not item.until or item.until >= item.since for item in residences)
        lasting = [item for item in residences if not item.until and item.kind is ResidenceKind.ACTUAL]
        assert len(lasting) <= 1
        if lasting:
            assert self.resident.match_flag == match_flag(residences)
            assert lasting[0].area_code == self.resident.area_code


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
