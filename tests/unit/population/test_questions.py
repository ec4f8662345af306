"""The language of filters: what it understands, what it refuses and where, and the days it makes of ages."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.questions.columns import area_code, area_number, where_of
from population.questions.conditions import Every, Some, Within, latest_birth, read
from population.questions.documents import filter_of
from population.questions.fields import FIELDS
from population.questions.syntax import And, Or, parse
from population.replica.rows import READ, day_of, stays_of
from population.replica.schema import FOREVER, NEVER_HERE, PEOPLE, STAYS
from svckit.errors import InvalidArgument, PermissionDenied
from tests.unit.population.filters import TODAY, age, birthday, filters, holds, people, seal


def asked(text: str, *, purpose: str = "P01") -> object:
    return read(text, today=TODAY, seal=seal, purpose=purpose)


def test_or_binds_tighter_than_and_as_aip_160_says() -> None:
    node = parse("sex = 1 AND lift = true OR lift = false AND age > 3")
    assert isinstance(node, And)
    assert [type(part) for part in node.parts][1] is Or
    assert len(node.parts) == 3


def test_words_side_by_side_mean_and() -> None:
    node = parse("sex = 1 lift = true")
    assert isinstance(node, And)
    assert len(node.parts) == 2


@pytest.mark.parametrize(
    ("text", "character", "says"),
    [
        ("height > 180", 1, "there is no field 'height'"),
        ("age >= 80 AND height > 180", 15, "there is no field"),
        ("age > old", 1, "whole number"),
        ("age > 151", 1, "between 0 and 150"),
        ("sex < 1", 1, "can be compared by"),
        ("sex = 7", 1, "not a code of sex"),
        ("lift = yes", 1, "true or false"),
        ("tenure = rented", 1, "not a code of tenure"),
        ("household_size < 0", 1, "between 1 and 9999"),
        ("birth_date > 1999-02-30", 1, "a day"),
        ("area = 420502", 1, "area:"),
        ("area:abc", 1, "digits"),
        ("age", 4, "compared with"),
        ("age >", 6, "value is missing"),
        ("(age > 3", 9, "closing bracket"),
        ("age > 3)", 8, "closes nothing"),
        ("AND age > 3", 1, "a field is expected"),
        ('sex = "1', 7, "no meaning"),
        ("age > 3; drop", 8, "no meaning"),
        ("name = '王'", 1, "there is no field 'name'"),
        ("id_number:*", 1, "there is no field"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_place(text: str, character: int, says: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        asked(text)
    assert refused.value.reason == "FILTER_INVALID"
    assert refused.value.field == "filter"
    assert refused.value.metadata["position"] == str(character)
    assert says in refused.value.message


def test_long_and_deep_filters_are_refused() -> None:
    for text in ("age > 3 " * 51, "(" * 30 + "age > 3" + ")" * 30, "x" * 2_001):
        with pytest.raises(InvalidArgument, match="at most"):
            parse(text)


def test_a_sensitive_field_needs_its_purpose() -> None:
    with pytest.raises(PermissionDenied) as refused:
        asked('affiliation = "01" AND age > 45', purpose="P08")
    assert refused.value.reason == "PURPOSE_REQUIRED"
    assert isinstance(asked('affiliation = "01" AND age > 45'), Every)


def test_a_sealed_value_is_looked_for_under_both_keys_of_a_rotation() -> None:
    condition = asked('affiliation = "01"')
    assert isinstance(condition, Some)
    assert len(condition.parts) == 2


@given(st.dates(dt.date(1900, 1, 1), TODAY), st.integers(0, 125))
def test_ages_become_birth_dates(born: dt.date, years: int) -> None:
    completed = age(born.isoformat()) or 0
    assert (born <= latest_birth(years, today=TODAY)) == (completed >= years)
    assert birthday(born, completed) <= TODAY < birthday(born, completed + 1)


@given(filters())
def test_values_are_bound_and_never_written_into_sql(text: str) -> None:
    where = where_of(asked(text))  # type: ignore[arg-type]
    columns = {name for name, _ in PEOPLE}
    words = set(where.sql.replace("(", " ").replace(")", " ").replace("?", " ").split())
    assert words <= columns | {"AND", "OR", "NOT", "IS", "NULL", "TRUE", "FALSE", "BETWEEN", "=", "!=", "<=", ">="}
    assert where.sql.count("?") == len(where.values)


@given(filters())
def test_not_is_the_opposite_for_everybody(text: str) -> None:
    assert all(holds(text, one) != holds(f"NOT ({text})", one) for one in people(20))


def test_a_plain_condition_is_one_flat_filter_that_an_index_serves() -> None:
    found = filter_of(asked("age >= 80 lift = false"))  # type: ignore[arg-type]
    assert found == {"birth_date": {"$gt": "", "$lte": "1944-02-29"}, "living.lift": False}


def test_fields_and_columns_name_nobody() -> None:
    assert not {field.path.split(".")[0] for field in FIELDS.values()} & NEVER_HERE
    assert not {name.split(".")[0] for name in READ} & NEVER_HERE
    assert not {name for name, _ in (*PEOPLE, *STAYS)} & NEVER_HERE
    assert all(field.column in dict(PEOPLE) for field in FIELDS.values())


@pytest.mark.parametrize("code", ["420502001001", "42050200100110001"])
def test_areas_as_numbers_and_back(code: str) -> None:
    assert area_code(area_number(code)) == code


def test_an_age_range_of_one_side_has_one_limit() -> None:
    assert asked("age < 18") == Within(FIELDS["age"], low=dt.date(2006, 3, 1))


@pytest.mark.parametrize(
    ("text", "number"), [("2024-02-29", 20240229), ("", None), (None, None), ("2024", None), ("abcd-ef-gh", None)]
)
def test_days_as_numbers(text: str | None, number: int | None) -> None:
    assert day_of(text) == number


def stay(since: str, until: str = "", area: str = "420502001001", **more: str) -> dict[str, str]:
    return {"since": since, "until": until, "area_code": area, **more}


def test_a_later_home_ends_the_one_before_and_a_registration_is_none() -> None:
    document = {
        "residences": [
            stay("2010-01-01"),
            stay("2015-06-01", area="420502001002"),
            stay("2000-01-01", kind="registered"),
        ]
    }
    assert [stay[1:3] for stay in stays_of(document, area=None)] == [(20100101, 20150600), (20150601, FOREVER)]


def test_who_left_or_died_is_there_until_then() -> None:
    document = {"residences": [stay("2010-01-01")], "standing": {"status": "deceased", "since": "2020-05-05"}}
    assert [stay[1:3] for stay in stays_of(document, area=None)] == [(20100101, 20200505)]


def test_who_has_no_home_counts_from_the_day_of_entry_in_china() -> None:
    entered = dt.datetime(2020, 1, 1, 20, tzinfo=dt.UTC)
    assert stays_of({"created_at": entered}, area=7) == [(7, 20200102, FOREVER, "")]
