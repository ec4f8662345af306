from __future__ import annotations

import datetime as dt

import pytest
from binglian.mediation.v1 import case_service_pb2
from binglian.options.v1 import options_pb2

from svckit.masking import mask_id_number, mask_name, mask_phone, mask_year, masker_of
from svckit.purposes import WITHOUT_PURPOSE, level_for
from tests.probe import pb

ZHANG = "张三"


def person() -> pb.Person:
    made = pb.Person(
        person_id="p",
        name="欧阳晓明",
        phone="13812345678",
        id_number="420502199001011234",
        faith="x",
        nicknames=["小明", "A"],
        grid_code="42050200100310001",
        second_name=ZHANG,
    )
    made.born_at.FromDatetime(dt.datetime(1990, 1, 1, tzinfo=dt.UTC))
    return made


def test_what_is_restricted_is_hidden_from_everybody() -> None:
    mask = masker_of(pb.ProbeResponse.DESCRIPTOR, hides=options_pb2.SENSITIVITY_L4)
    assert mask is not None
    shown = mask(pb.ProbeResponse(people=[person()])).people[0]
    assert (shown.name, shown.faith) == ("欧阳晓明", "***")
    assert masker_of(case_service_pb2.GetCaseResponse.DESCRIPTOR, hides=options_pb2.SENSITIVITY_L4) is None


def test_a_purpose_that_allows_internal_data_shows_names_and_telephones_and_nothing_more() -> None:
    mask = masker_of(pb.ProbeResponse.DESCRIPTOR, hides=options_pb2.SENSITIVITY_L3)
    assert mask is not None
    shown = mask(pb.ProbeResponse(people=[person()])).people[0]
    assert (shown.name, shown.phone, shown.id_number) == ("欧阳晓明", "13812345678", "420502***********4")
    assert not shown.HasField("born_at")


def test_dates_keep_their_year() -> None:
    assert [mask_year(text) for text in ("1990-01-01", "", "1990")] == ["1990-**-**", "", "***"]


def test_the_table_of_purposes_says_what_each_shows() -> None:
    assert [level_for(purpose) for purpose in ("P01", "P02", "P08", "", "P99")] == [3, 2, 1, WITHOUT_PURPOSE, WITHOUT_PURPOSE]


def masked(message: pb.ProbeResponse) -> pb.ProbeResponse:
    mask = masker_of(pb.ProbeResponse.DESCRIPTOR)
    assert mask is not None
    return mask(message)


def test_every_personal_field_from_l3_is_hidden_and_the_rest_is_not() -> None:
    shown = masked(pb.ProbeResponse(text="t", people=[person()])).people[0]
    assert (shown.name, shown.phone, shown.id_number) == ("欧***", "138****5678", "420502***********4")
    assert (shown.faith, list(shown.nicknames), shown.second_name) == ("***", ["小*", "*"], "张*")
    assert not shown.HasField("born_at")
    assert (shown.person_id, shown.grid_code) == ("p", "42050200100310001")


def test_personal_data_is_found_however_deep() -> None:
    outer = pb.Person(person_id="o", children=[pb.Person(children=[person()])])
    outer.contacts["doctor"].CopyFrom(person())
    shown = masked(pb.ProbeResponse(people=[outer])).people[0]
    assert shown.children[0].children[0].phone == "138****5678"
    assert shown.contacts["doctor"].name == "欧***"


def test_the_message_of_the_handler_stays_as_it_was() -> None:
    response = pb.ProbeResponse(people=[person()])
    masked(response)
    assert response.people[0] == person()


def test_a_message_without_personal_data_is_not_copied() -> None:
    response = pb.ProbeResponse(text="t", people=[pb.Person(person_id="p", grid_code="1")])
    assert masked(response) is response


def test_types_without_personal_fields_have_no_masker() -> None:
    assert masker_of(case_service_pb2.CountCasesResponse.DESCRIPTOR) is None
    assert masker_of(case_service_pb2.GetCaseResponse.DESCRIPTOR) is not None


@pytest.mark.parametrize(
    ("form", "value", "shown"),
    [
        (mask_name, "", ""),
        (mask_name, "王", "*"),
        (mask_phone, "0717-62", "***"),
        (mask_phone, "", ""),
        (mask_id_number, "E1234567", "***"),
        (mask_id_number, "420502900101123", "420502********3"),
    ],
)
def test_short_values_give_nothing_away(form, value: str, shown: str) -> None:
    assert form(value) == shown
