"""Identity numbers: the shared check vectors and properties of the check digit."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population.identity import WrongIdNumber, check_digit, read_id_number

TODAY = dt.date(2026, 3, 2)
VECTORS = [
    row
    for row in csv.DictReader(Path(__file__).with_name("checksum_vector.csv").read_text(encoding="utf-8").splitlines())
    if row["kind"] == "idno"
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['value']}-{vector['valid']}")
def test_the_check_vectors_hold(vector: dict[str, str]) -> None:
    if vector["valid"] == "Y":
        read_id_number(vector["value"], today=TODAY)
    else:
        with pytest.raises(WrongIdNumber):
            read_id_number(vector["value"], today=TODAY)


def test_a_number_says_birth_date_and_sex() -> None:
    identity = read_id_number("11010519491231002X", today=TODAY)
    assert (identity.birth_date, identity.sex) == ("1949-12-31", "2")


births = st.dates(dt.date(1900, 1, 1), TODAY)
numbers = st.builds(
    lambda area, born, serial: f"{area}{born:%Y%m%d}{serial:03d}", st.integers(110000, 990000), births, st.integers(0, 999)
).map(lambda body: body + check_digit(body))


@given(numbers)
def test_every_number_with_its_check_digit_is_read(number: str) -> None:
    assert read_id_number(number, today=TODAY).birth_date.replace("-", "") == number[6:14]


@given(numbers, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, place: int, shift: int) -> None:
    wrong = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]
    with pytest.raises(WrongIdNumber):
        read_id_number(wrong, today=TODAY)


@given(numbers, st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_found(number: str, place: int) -> None:
    if number[place] == number[place + 1]:
        return
    wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    with pytest.raises(WrongIdNumber):
        read_id_number(wrong, today=TODAY)


@pytest.mark.parametrize(
    "number", ["", "1101051949123100", "11010519491231002x", "１１０１０５19491231002X", "01010519491231002X"]
)
def test_other_shapes_are_refused(number: str) -> None:
    with pytest.raises(WrongIdNumber):
        read_id_number(number, today=TODAY)
