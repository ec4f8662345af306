"""What people type: refused where it must not be kept, masked where it is a number of somebody, else left alone."""

from __future__ import annotations

import csv
import timeit
from importlib import resources
from pathlib import Path

import pytest
from binglian.mediation.v1 import (
    case_flow_service_pb2,
    case_service_pb2,
    cooperation_service_pb2,
    supervision_service_pb2,
    task_service_pb2,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from mediation import dispute_codes
from mediation.policies import free_text
from mediation.rpc.checking import FREE_TEXTS, tidy_request
from svckit.errors import InvalidArgument
from tests.unit.mediation.builders import refused

MODULES = (
    case_service_pb2,
    task_service_pb2,
    case_flow_service_pb2,
    cooperation_service_pb2,
    supervision_service_pb2,
)
# Texts that are no free text: ids, codes, what is masked for itself, and what machines write.
CODES = {
    *("after", "area_code", "category", "department", "external_id", "key", "reassign_to", "request_id", "sha256", "source"),
    *("case_id", "task_id", "order_id", "into", "reporter_name", "reporter_phone", "failed_task_ids", "uri"),
}
ORDINARY = "楼道堆放杂物，门口安装人脸识别摄像头；见 archive.pdf，物业电话0717-6440001，编号202611161234567。"


def tidied(text: str) -> str:
    return free_text.tidy(text, field="text")


def test_every_line_of_the_table_that_is_excluded_has_words() -> None:
    table = Path(__file__).parents[2] / "contract" / "restricted.csv"
    codes = {row["code"] for row in csv.DictReader(table.read_text("utf-8").splitlines())}
    assert set(dispute_codes.restricted_terms()) <= codes
    assert resources.files("mediation").joinpath("codes/restricted_terms.yaml").is_file()


@pytest.mark.parametrize(
    ("code", "word"), [(code, each) for code, words in dispute_codes.restricted_terms().items() for each in words]
)
def test_each_word_is_refused_wherever_it_stands(code: str, word: str) -> None:
    for text in (word, f"邻居说他{word}，请核实", f"x{word.lower() if not word.isascii() else ' ' + word.lower()}"):
        with pytest.raises(InvalidArgument) as refusal:
            free_text.tidy(text, field="reason")
        found = refusal.value
        assert (found.reason, found.field, found.metadata) == ("RESTRICTED_CONTENT", "reason", {"category": code})


def test_latin_words_are_not_found_inside_others() -> None:
    assert tidied("ARCHIVE of chives") == "ARCHIVE of chives"
    assert refused("RESTRICTED_CONTENT", tidied, "感染hiv病毒") == "text"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("请联系13812345678。", "请联系138****5678。"),
        ("请联系138 1234-5678。", "请联系138****5678。"),
        ("身份证42050219900101123X已核", "身份证420502************已核"),
        ("420502 1990-01-01 1234", "420502************"),
        ("旧证420502900101123", "旧证420502*********"),
        ("13812345678和13987654321", "138****5678和139****4321"),
    ],
)
def test_numbers_of_people_are_masked(typed: str, kept: str) -> None:
    assert tidied(typed) == kept
    assert tidied(kept) == kept


@pytest.mark.parametrize(
    "text", [ORDINARY, "", "6222021381234567890", "1381234567", "420502199013011234", "12345", "录音.mp3在此"]
)
def test_everything_else_stays(text: str) -> None:
    assert tidied(text) == text


@given(st.text(max_size=200))
def test_tidying_again_changes_nothing(text: str) -> None:
    try:
        once = tidied(text)
    except InvalidArgument:
        return
    assert tidied(once) == once


@given(
    st.integers(10**8, 10**9 - 1), st.text(alphabet="电话是：，。abc", max_size=5), st.text(alphabet="吗。，xyz", max_size=5)
)
def test_no_mobile_number_stays_whole(number: int, before: str, after: str) -> None:
    mobile = f"13{number}"
    assert mobile not in tidied(before + mobile + after)


def test_a_request_is_tidied_in_place_however_deep() -> None:
    plan = case_service_pb2.TaskPlan(department="FIRE", instruction="找张三13812345678")
    request = case_service_pb2.DispatchCaseRequest(case_id="x", request_id="12345678", tasks=[plan])
    tidy_request(request)
    assert (request.tasks[0].instruction, request.tasks[0].department) == ("找张三138****5678", "FIRE")
    request.tasks[0].instruction = "他是刑释人员"
    assert refused("RESTRICTED_CONTENT", tidy_request, request) == "tasks[0].instruction"


def test_lists_of_texts_and_links_are_looked_at_too() -> None:
    request = case_flow_service_pb2.TransferCaseRequest(request_id="12345678", remedies=["起诉", "问13812345678"])
    tidy_request(request)
    assert list(request.remedies) == ["起诉", "问138****5678"]
    entry = cooperation_service_pb2.AddEntryRequest(request_id="12345678", attachments=[{"uri": "oss://a/talk.MP3?x=1"}])
    assert refused("RECORDING_NOT_ALLOWED", tidy_request, entry) == "attachments[0].uri"
    entry.attachments[0].uri = "oss://a/13812345678.jpg"
    tidy_request(entry)
    assert entry.attachments[0].uri == "oss://a/13812345678.jpg"


def test_what_has_a_field_of_its_own_keeps_its_number() -> None:
    request = case_service_pb2.ReportCaseRequest(request_id="13812345678", description="x", reporter_phone="13812345678")
    tidy_request(request)
    assert (request.reporter_phone, request.request_id) == ("13812345678", "13812345678")


def test_no_text_of_a_request_is_forgotten() -> None:
    names = {
        name
        for module in MODULES
        for message in module.DESCRIPTOR.message_types_by_name.values()
        if "request_id" in message.fields_by_name
        for name in _texts_of(message)
    }
    assert names - CODES == FREE_TEXTS & names
    assert names >= FREE_TEXTS, "a name that no request has is a mistake"


def _texts_of(message: Descriptor) -> set[str]:
    found = set()
    for field in message.fields:
        if field.message_type is not None and field.message_type.file.package.startswith("binglian"):
            found |= _texts_of(field.message_type)
        elif field.type == FieldDescriptor.TYPE_STRING:
            found.add(field.name)
    return found


def test_an_ordinary_request_costs_little() -> None:
    request = case_service_pb2.ReportCaseRequest(
        request_id="12345678", category="A0204", description=ORDINARY, address="西陵一路18号", photos=[{"uri": "oss://a/b.jpg"}]
    )
    tidy_request(request)
    each = min(timeit.repeat(lambda: tidy_request(request), number=200, repeat=5)) / 200
    assert each < 0.0005
    print(f"{each * 1e6:.1f} µs")
