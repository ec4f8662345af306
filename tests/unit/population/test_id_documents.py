"""Identity documents by kind, and telephone numbers in one form."""

from __future__ import annotations

import datetime as dt

import pytest

from population.id_documents import WrongIdNumber, forms_of, normal_number, read_document
from population.identity import check_digit
from population.phones import normal_phone
from svckit.errors import InvalidArgument

TODAY = dt.date(2026, 3, 2)


def whole(body: str) -> str:
    return body + check_digit(body)


def read(kind: str, number: str) -> tuple[str, str]:
    said = read_document(kind, normal_number(kind, number), today=TODAY)
    return said.birth_date, said.sex


@pytest.mark.parametrize(
    ("kind", "number", "said"),
    [
        ("111", "11010519491231002x", ("1949-12-31", "2")),
        ("111", "110105 19491231 002X", ("1949-12-31", "2")),
        ("111", "110105491231002", ("1949-12-31", "2")),
        ("112", whole("99000019900101301"), ("1990-01-01", "1")),
        ("830", whole("81000019850315001"), ("1985-03-15", "1")),
        ("830", whole("82000019850315002"), ("1985-03-15", "2")),
        ("831", whole("83000019850315001"), ("1985-03-15", "1")),
        ("553", whole("91184019810521003"), ("1981-05-21", "1")),
        ("553", "USA110081052110", ("", "")),
        ("414", "E12345678", ("", "")),
        ("414", "c01x00t47", ("", "")),
        ("516", "H12345678", ("", "")),
        ("516", "M1234567801", ("", "")),
        ("511", "12345678", ("", "")),
        ("511", "0012345678(B)", ("", "")),
        ("114", "军字第1234567号", ("", "")),
        ("117", "U420123456", ("", "")),
        ("990", "ABC-1234", ("", "")),
    ],
)
def test_right_numbers_are_read(kind: str, number: str, said: tuple[str, str]) -> None:
    assert read(kind, number) == said


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("111", "110105194912310021"),
        ("111", whole("16010519900101301")),
        ("111", whole("11000019900101301")),
        ("111", whole("11010518490101301")),
        ("111", whole("11010520270101301")),
        ("111", "110105491331002"),
        ("830", whole("83000019850315001")),
        ("831", whole("81000019850315001")),
        ("553", whole("11010519810521003")),
        ("553", "USA110081052010X"),
        ("553", "USA110081133210"),
        ("414", "PASSPORT"),
        ("414", "E123456789"),
        ("516", "K12345678"),
        ("511", "1234567"),
        ("114", "9999"),
        ("117", "4201234567"),
        ("990", "护"),
    ],
)
def test_wrong_numbers_are_refused_and_not_repeated(kind: str, number: str) -> None:
    with pytest.raises(WrongIdNumber) as refusal:
        read(kind, number)
    assert number not in str(refusal.value)


def test_a_renewed_permit_is_the_same_number() -> None:
    assert normal_number("516", "h1234567801") == normal_number("516", "H12345678 02") == "H12345678"
    assert "H12345678" in forms_of("h1234567803")
    assert "11010519491231002X" in forms_of("110105491231002")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+86 138-0013-8000", "13800138000"),
        ("008613800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("0717-1234567", "07171234567"),
        ("(010) 12345678", "01012345678"),
        ("6234567", "6234567"),
        ("00852 2123 4567", "+85221234567"),
        ("400-810-1234", "4008101234"),
        ("12345", "12345"),
    ],
)
def test_telephone_numbers_have_one_form(typed: str, kept: str) -> None:
    assert normal_phone(typed) == kept
    assert normal_phone(kept) == kept


@pytest.mark.parametrize("typed", ["", "138001", "1380013800a", "+0123456789", "138001380001"])
def test_other_texts_are_no_telephone_numbers(typed: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        normal_phone(typed)
    assert refusal.value.reason == "PHONE_INVALID"
