"""Duplicates and merges: every field weighs what it says, and a merge that is taken back leaves nothing behind. Without I/O."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from population import operations
from population.domain.merge import Agreement, Merge, MergeState
from population.domain.residence import ResidenceDraft
from population.domain.resident import Resident, ResidentDraft
from population.domain.secret import Secret
from population.duplicates import likely_pairs, score
from population.identity import check_digit
from population.operations import merging
from population.policies.merging import check_merge_transition, check_pair, check_take
from population.vault import FieldKeys, Vault
from svckit.errors import FailedPrecondition, InvalidArgument

NOW = dt.datetime(2026, 3, 1, 17, 0, tzinfo=dt.UTC)
GRID = "42050200100310001"
VAULT = Vault(FieldKeys.of(bytes(32)))


def number(serial: int = 301) -> str:
    body = f"99000019900101{serial:03d}"
    return body + check_digit(body)


def entry(id: str, **fields: object) -> Resident:
    draft = ResidentDraft(**({"area_code": GRID, "name": "王小明", "birth_date": "1990-01-01", "sex": "1"} | fields))  # type: ignore[arg-type]
    made, _ = operations.create_resident(
        draft=draft, resident_id=id, residence_id=f"{id}-home", registered_id=f"{id}-reg", seal=VAULT.seal, now=NOW
    )
    return made


def reseal(secret: Secret, *, field: str, owner: str, to: str) -> Secret:
    return VAULT.seal(VAULT.open(secret.cipher, field=field, owner=owner), field=field, owner=to)


def agreement(one: Resident, other: Resident, field: str) -> Agreement:
    return next(item.agreement for item in score(one, other).fields if item.field == field)


def test_the_same_person_twice_is_likely_and_says_why() -> None:
    found = score(entry("a", phone="13800138000"), entry("b", phone="+86 138-0013-8000"))
    assert found.probability > 0.99
    assert sum(item.bits for item in found.fields) + found.prior_bits == pytest.approx(found.total_bits, abs=0.01)
    assert {item.field: item.said for item in found.fields}["phone"] == "联系电话相同"
    assert {item.field: item.agreement for item in found.fields}["home"] is Agreement.MISSING


def test_two_numbers_of_one_kind_speak_against_it() -> None:
    one, other = (entry(id, id_doc_type="111", id_number=number(serial)) for id, serial in (("a", 301), ("b", 303)))
    assert score(one, other).probability < 0.5
    other = entry("b", id_doc_type="414", id_number="E12345678")
    assert agreement(one, other, "id_number") is Agreement.MISSING


@pytest.mark.parametrize(
    ("field", "mine", "theirs", "expected"),
    [
        ("name", "王小明", "王晓鸣", Agreement.NEAR),
        ("name", "单雄信", "单雄心", Agreement.NEAR),
        ("name", "王小明", "王小红", Agreement.NEAR),
        ("name", "王小明", "李建国", Agreement.DIFFERENT),
        ("name", "John Smith", "Smith John", Agreement.NEAR),
        ("birth_date", "1990-03-04", "1990-04-03", Agreement.NEAR),
        ("birth_date", "1990-03-04", "1991-03-04", Agreement.NEAR),
        ("birth_date", "1990-03-04", "1992-05-04", Agreement.DIFFERENT),
        ("birth_date", "", "1992-05-04", Agreement.MISSING),
        ("sex", "1", "9", Agreement.MISSING),
        ("area_code", GRID, "42050200200110001", Agreement.NEAR),
        ("area_code", GRID, "42050300200110001", Agreement.DIFFERENT),
    ],
)
def test_fields_compare(field: str, mine: str, theirs: str, expected: Agreement) -> None:
    one, other = entry("a", **{field: mine}), entry("b", **{field: theirs})
    assert agreement(one, other, field) is agreement(other, one, field) is expected


def test_of_a_community_only_likely_pairs_are_shown() -> None:
    people = [entry(str(at), name=name, birth_date=f"19{at:02d}-05-05") for at, name in enumerate(["李一", "张二", "赵三"], 50)]
    double = entry("x", name="张貳", birth_date="1951-05-05")
    pairs = likely_pairs([*people, double])
    assert [{one.resident_id, other.resident_id} for one, other, _ in pairs] == [{"51", "x"}]
    assert likely_pairs([*people, double], dismissed={frozenset(("51", "x"))}) == []


def decided(**fields: object) -> Merge:
    base: dict[str, object] = {
        "merge_id": "m",
        "state": MergeState.CONFIRMED,
        "city": "4205",
        "area_code": GRID,
        "survivor_id": "a",
        "absorbed_id": "b",
        "by": "clerk",
        "created_at": NOW,
        "changed_at": NOW,
        "document_id": "d",
    }
    return Merge(**(base | fields))  # type: ignore[arg-type]


def merged(survivor: Resident, absorbed: Resident, *take: str) -> tuple[Merge, Resident, Resident]:
    plan = merging.plan_merge(decided(take=take), survivor=survivor, absorbed=absorbed, reseal=reseal)
    gone, _ = merging.absorb(absorbed, merge=plan, now=NOW)
    one, _ = merging.take_over(survivor, merge=plan, absorbed=gone, reseal=reseal, now=NOW)
    return plan, one, gone


def test_a_merge_fills_what_is_missing_and_keeps_what_there_is() -> None:
    survivor = entry("a", phone="13800138000", birth_date="", residence=ResidenceDraft(house_id="h1"))
    absorbed = entry(
        "b",
        name="王晓明",
        phone="13900139000",
        id_doc_type="111",
        id_number=number(),
        resident_type="01",
        household_id="f",
        household_relation="20",
        residence=ResidenceDraft(house_id="h2", since="2010-01-01"),
    )
    plan, one, gone = merged(survivor, absorbed)
    assert (one.name, one.birth_date, one.resident_type) == ("王小明", "1990-01-01", "01")
    assert (one.household_id, one.household_relation, one.id_doc_type) == ("f", "20", "111")
    assert one.phone == survivor.phone
    assert one.id_number is not None
    assert VAULT.open(one.id_number.cipher, field="id_number", owner="a") == number()
    assert [item.house_id for item in one.residences] == ["h2", "h1"]
    assert all(not item.until for item in one.residences)
    assert set(one.name_keys) == {"wxm wangxiaoming"}
    assert gone.standing is not None
    assert (gone.standing.merged_into, gone.id_number) == ("a", None)
    assert all(item.until for item in gone.residences)
    assert plan.primary_taken


def test_what_is_named_is_taken() -> None:
    survivor, absorbed = entry("a", phone="13800138000"), entry("b", name="王晓明", phone="13900139000", name_latin="Wang")
    plan, one, _ = merged(survivor, absorbed, "name", "phone")
    assert (one.name, one.name_latin) == ("王晓明", "Wang")
    assert one.phone is not None
    assert VAULT.open(one.phone.cipher, field="phone", owner="a") == "13900139000"
    assert plan.phone_before is not None
    assert VAULT.open(plan.phone_before.cipher, field="phone", owner="m") == "13800138000"


OPTIONAL = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["王小明", "王晓明"]),
        "name_latin": st.just("Wang"),
        "birth_date": st.sampled_from(["", "1990-01-01"]),
        "phone": st.sampled_from(["13800138000", "13900139000"]),
        "resident_type": st.sampled_from(["01", "03"]),
        "household_id": st.sampled_from(["f", "g"]),
        "residence": st.sampled_from([ResidenceDraft(house_id="h1"), ResidenceDraft(house_id="h2", since="2001-01-01")]),
        "registered": st.just(ResidenceDraft(area_code=GRID)),
    },
)
NUMBERS = st.sampled_from([{}, {"id_doc_type": "111", "id_number": number()}, {"id_doc_type": "414", "id_number": "E12345678"}])
TAKE = st.lists(st.sampled_from(["name", "phone", "household", "resident_type", "birth_date"]), unique=True)


def without_noise(resident: Resident) -> Resident:
    """Ciphers differ with every sealing, indexes do not; residences come oldest first."""

    def plain(secret: Secret | None) -> Secret | None:
        return secret and Secret(cipher=b"", index=secret.index)

    documents = tuple(replace(item, number=Secret(cipher=b"", index=item.number.index)) for item in resident.documents)
    residences = tuple(sorted(resident.residences, key=lambda item: (item.since, item.residence_id)))
    sealed = {"id_number": plain(resident.id_number), "phone": plain(resident.phone), "documents": documents}
    return replace(resident, residences=residences, **sealed)


@settings(max_examples=150, deadline=None)
@given(OPTIONAL, NUMBERS, OPTIONAL, NUMBERS, TAKE)
def test_a_merge_taken_back_leaves_both_as_they_were(
    mine: dict[str, object], my_number: dict[str, str], theirs: dict[str, object], their_number: dict[str, str], take: list[str]
) -> None:
    if my_number == their_number:
        their_number = {}
    survivor, absorbed = entry("a", **mine, **my_number), entry("b", **theirs, **their_number)
    plan, one, gone = merged(survivor, absorbed, *take)
    numbers = {item.number.index for item in gone.documents}
    assert {index for index in numbers if index not in _indexes(one)} == set()
    (back, _), kept = merging.give_back(one, merge=plan, absorbed=gone, reseal=reseal, now=NOW)
    again, _ = merging.reappear(gone, merge=plan, now=NOW)
    assert kept == ()
    assert without_noise(back) == without_noise(survivor)
    assert without_noise(again) == without_noise(absorbed)


def _indexes(resident: Resident) -> set[bytes]:
    numbers = (resident.id_number, *(item.number for item in resident.documents))
    return {number.index for number in numbers if number}


def test_what_people_changed_since_stays_and_is_named() -> None:
    plan, one, gone = merged(entry("a"), entry("b", name="王晓明", phone="13900139000"), "name")
    changed = replace(one, name="王大明", phone=VAULT.seal("13700137000", field="phone", owner="a"))
    (back, _), kept = merging.give_back(changed, merge=plan, absorbed=gone, reseal=reseal, now=NOW)
    assert (back.name, kept) == ("王大明", ("name", "phone"))
    assert back.phone == changed.phone
    assert back.name_keys == ("wdm wangdaming",)


def test_what_cannot_be_merged_is_refused() -> None:
    one, other = entry("a"), entry("b", area_code="420602001001")
    with pytest.raises(FailedPrecondition, match="city"):
        check_pair(one, other)
    with pytest.raises(FailedPrecondition) as refusal:
        check_pair(one, one)
    assert refusal.value.reason == "SAME_ENTRY"
    with pytest.raises(InvalidArgument):
        check_take(["id_number"])
    _, _, gone = merged(one, entry("b"))
    with pytest.raises(FailedPrecondition) as refusal:
        check_pair(one, gone)
    assert refusal.value.reason == "DEPARTED"
    with pytest.raises(FailedPrecondition) as refusal:
        check_merge_transition(decided(), "undo")
    assert refusal.value.reason == "WRONG_STATE"
