"""The collection forms as XLSForm, for field tools of the ODK family (ODK Collect, KoBoToolbox): made from the contract, never by hand.

Questions are the fields of the drafts somebody may enter, choices the code tables, constraints the rules of the proto; so a form cannot ask
for what may not be collected, and what it lets through the service takes.

Forms of what is done at the door (proposals, orders to go and look, visits of care) have questions named like the fields of the request.
Those named `value_…` only help: the answer they make stands in `value`. An answer left empty is a field left out.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import openpyxl
from binglian.population.v1 import care_pb2, collection_service_pb2
from binglian.population.v1 import resident_service_pb2 as pb
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from population.codes import rows_of
from population.identity import WEIGHTS
from population.policies.collection import COLLECTED
from population.privacy.screening import screen_columns

ZH, EN = "label::中文 (zh)", "label::English (en)"
_ZH_MESSAGE, _EN_MESSAGE = "constraint_message::中文 (zh)", "constraint_message::English (en)"
_WRONG = {_ZH_MESSAGE: "格式不正确，请检查", _EN_MESSAGE: "Please check this value"}
SURVEY = (
    "type",
    "name",
    ZH,
    EN,
    "required",
    "constraint",
    _ZH_MESSAGE,
    _EN_MESSAGE,
    "relevant",
    "default",
    "calculation",
    "parameters",
)
CHOICES = ("list_name", "name", ZH, EN)


class Form(msgspec.Struct, frozen=True):
    """A form: the message it fills, and its name."""

    message: Descriptor
    zh: str
    en: str
    request: Callable[[], Iterator[dict[str, str]]] | None = None
    """Its questions, of a form that is a request; of others the fields of the message are asked."""


LABELS: Mapping[str, tuple[str, str]] = {
    "area_code": ("网格编码", "Grid or community"),
    "name": ("姓名", "Name"),
    "name_latin": ("拉丁字母姓名", "Name in Latin letters"),
    "sex": ("性别", "Sex"),
    "birth_date": ("出生日期", "Date of birth"),
    "id_doc_type": ("证件类型", "Kind of document"),
    "id_number": ("证件号码", "Number of the document"),
    "phone": ("联系电话", "Telephone"),
    "resident_type": ("人口类型", "Kind of resident"),
    "household_id": ("家庭户", "Household"),
    "household_relation": ("与户主关系", "Relation to the head"),
    "residence": ("现住房屋", "Home"),
    "registered": ("户籍地", "Registered at"),
    "house_id": ("房屋编号", "House"),
    "tenure": ("居住方式", "Tenure"),
    "kind": ("居住性质", "Kind of residence"),
    "since": ("起始日期", "Since"),
    "match_flag": ("人户一致标识", "Lives where registered"),
}
"""What the questions are called; a field without a name here is not asked in the field."""
REQUESTED: Mapping[str, tuple[str, str]] = {
    "resident_id": ("居民编号", "Resident"),
    "check_id": ("核实指令编号", "Order to go and look"),
    "plan_id": ("走访计划编号", "Plan of visits"),
    "edits": ("采集项", "What is proposed"),
    "found": ("核实结果", "What was found"),
    "field": ("项目", "Field"),
    "seen": ("登记的现值", "What the register shows now"),
    "declined": ("本人不愿提供的项目", "What the resident does not want to tell"),
    "notes": ("走访情况", "What was seen, heard and needed"),
    "nothing_to_report": ("零报告", "Nothing to report"),
    "members": ("家庭成员", "Members"),
    "evidence": ("佐证材料", "Evidence"),
    "uri": ("照片", "Photograph"),
    "observed_at": ("采集时间", "When it was seen"),
    "happened_at": ("发生时间", "When it happened"),
    "taken_at": ("拍摄时间", "When it was taken"),
}
"""What the questions of requests are called, where they are not fields of a resident."""
_TABLES = {
    "sex": "sex",
    "id_doc_type": "id_doc_type",
    "resident_type": "resident_type",
    "household_relation": "household_relation",
    "match_flag": "household_match_flag",
}
_DAYS = frozenset({"birth_date", "since"})
CONTEXT = frozenset({"kind"})
"""Fields the place in the form says already."""
MEMBER = ("resident_id", "id_doc_type", "id_number", "household_relation")
"""What the form of a household asks about each member: who it is, by id or by document, and the relation to the head."""


def workbook(name: str) -> bytes:
    """Returns a form as an XLSX file. Raises KeyError for a form that does not exist."""
    form = FORMS[name]
    survey = _survey(form)
    lists = _lists(survey)
    book = openpyxl.Workbook()
    _sheet(book.active, "survey", SURVEY, survey)
    _sheet(book.create_sheet(), "choices", CHOICES, [row for table in lists for row in _choices(table)])
    settings = {"form_title": form.zh, "form_id": f"binglian_{name}", "version": version(name), "default_language": "中文 (zh)"}
    _sheet(book.create_sheet(), "settings", tuple(settings), [settings])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@functools.cache
def version(name: str) -> str:
    """Returns a text that changes with anything of a form, its choices too: field tools fetch a form anew when it does."""
    survey = _survey(FORMS[name])
    said = json.dumps([survey, [list(_choices(table)) for table in _lists(survey)]], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def asked(message: Descriptor) -> list[FieldDescriptor]:
    """Returns the fields of a draft a form asks for."""
    return [
        field
        for field in message.fields
        if field.name in LABELS and not field.is_repeated and not screen_columns([field.name, LABELS[field.name][0]])
    ]


def _survey(form: Form) -> list[dict[str, str]]:
    return list(form.request() if form.request else _questions(form.message, group=""))


def _lists(survey: list[dict[str, str]]) -> list[str]:
    return sorted({row["type"].split()[1] for row in survey if row["type"].startswith("select_")})


def _questions(message: Descriptor, *, group: str) -> Iterator[dict[str, str]]:
    for field in asked(message):
        if field.message_type is not None:
            yield _row("begin_group", field.name)
            yield from _questions(field.message_type, group=field.name)
            yield _end("group")
        elif not (group and field.name in CONTEXT):
            yield _question(field, group)


def _question(field: FieldDescriptor, group: str) -> dict[str, str]:
    rule = _rule(field)
    question = _row(_type(field), field.name)
    question["required"] = "yes" if rule.min_len or (field.name == "area_code" and not group) else ""
    if field.name == "id_number":
        question |= {"relevant": "${id_doc_type} != '' and ${id_doc_type} != '999'", "constraint": _number_rule(rule.pattern)}
    elif field.name in _DAYS:
        question["constraint"] = ". <= today()"
    elif not question["type"].startswith("select_one"):
        question["constraint"] = _text_rule(rule)
    if question["constraint"]:
        question |= _WRONG
    return question


def _row(kind: str, name: str) -> dict[str, str]:
    zh, en = LABELS.get(name) or REQUESTED[name]
    return {**dict.fromkeys(SURVEY, ""), "type": kind, "name": name, ZH: zh, EN: en}


def _end(kind: str) -> dict[str, str]:
    return {**dict.fromkeys(SURVEY, ""), "type": f"end_{kind}"}


def _type(field: FieldDescriptor) -> str:
    if field.name in _TABLES:
        return f"select_one {_TABLES[field.name]}"
    if field.enum_type is not None:
        return f"select_one {field.name}"
    return "date" if field.name in _DAYS else "text"


def _rule(field: FieldDescriptor) -> Any:
    rules: Any = field.GetOptions().Extensions[validate_pb2.field]
    return rules.string


def _text_rule(rule: Any) -> str:
    parts = []
    if rule.pattern:
        parts.append(_matches(rule.pattern))
    if rule.uuid:
        parts.append(_matches("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))
    if rule.max_len:
        parts.append(f"string-length(.) <= {rule.max_len}")
    return " and ".join(parts)


def _matches(pattern: str) -> str:
    return f"regex(., '{pattern}')"


def _number_rule(pattern: str) -> str:
    """The form of any number, and of identity cards the check digit (GB 11643)."""
    total = " + ".join(f"{weight} * number(substr(., {place}, {place + 1}))" for place, weight in enumerate(WEIGHTS))
    digit = f"substr('10X98765432', ({total}) mod 11, ({total}) mod 11 + 1)"
    is_card = "${id_doc_type} = '111' or ${id_doc_type} = '112'"
    return f"{_matches(pattern)} and (not({is_card}) or (regex(., '^[1-9][0-9]{{16}}[0-9X]$') and substr(., 17, 18) = {digit}))"


def _choices(name: str) -> Iterator[dict[str, str]]:
    if name in _TABLES.values():
        for row in rows_of(name):
            yield {"list_name": name, "name": row["code"], ZH: row["zh"], EN: row.get("en") or row["zh"]}
        return
    for code, (zh, en) in {**ENUMS, **ENUMS_OF_REQUESTS}[name].items():
        yield {"list_name": name, "name": code, ZH: zh, EN: en}


ENUMS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "tenure": {
        "owner": ("自有", "Owner"),
        "family": ("家属", "Family"),
        "tenant": ("租住", "Tenant"),
        "other": ("借住及其他", "Other"),
    },
    "kind": {"actual": ("实际居住", "Lives there"), "registered": ("户籍登记", "Registered there")},
}


ENUMS_OF_REQUESTS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "collected_field": {name: LABELS[name] for name in COLLECTED if not screen_columns([name, LABELS[name][0]])},
    "truth": {"true": ("是", "Yes"), "false": ("否", "No")},
}


def _household() -> Iterator[dict[str, str]]:
    """The household, and who of the register belongs to it: who is not in the register yet has a form of their own."""
    yield from _questions(pb.HouseholdDraft.DESCRIPTOR, group="")
    yield _row("begin_repeat", "members")
    yield _id("resident_id", required="${id_number} = ''")
    for name in MEMBER[1:]:
        question = _question(pb.ResidentDraft.DESCRIPTOR.fields_by_name[name], "members")
        yield question | ({"required": "yes"} if name == "household_relation" else {})
    yield _end("repeat")


def _submission() -> Iterator[dict[str, str]]:
    yield _id("resident_id")
    yield _request_id()
    yield _row("begin_repeat", "edits")
    yield from _valued(required="yes")
    yield _written("seen", most=200)
    yield _end("repeat")
    yield _moment("observed_at")


def _check() -> Iterator[dict[str, str]]:
    yield _id("resident_id")
    yield _id("check_id")
    yield _request_id()
    yield _row("begin_repeat", "found")
    # Everything may be declined: then nothing stands here.
    yield from _valued(required="")
    yield _end("repeat")
    yield _row("select_multiple collected_field", "declined")
    yield from _evidence(required="yes")
    yield _moment("happened_at")


def _visit() -> Iterator[dict[str, str]]:
    yield _id("plan_id")
    yield _request_id()
    yield {**_row("select_one truth", "nothing_to_report"), "required": "yes"}
    # The service takes evidence instead of notes; a form cannot know that a photograph is going to follow.
    yield {**_written("notes", most=1000), "required": "${nothing_to_report} = 'false'"}
    yield from _evidence(required="")
    yield _moment("happened_at")


def _valued(*, required: str) -> Iterator[dict[str, str]]:
    """A field of a resident and its value, asked for as the form of residents does."""
    yield {**_row("select_one collected_field", "field"), "required": required}
    names = list(ENUMS_OF_REQUESTS["collected_field"])
    for name in names:
        question = _question(pb.ResidentDraft.DESCRIPTOR.fields_by_name[name], "value")
        yield question | {"name": f"value_{name}", "relevant": f"${{field}} = '{name}'"}
    value = "''"
    for name in reversed(names):
        value = f"if(${{field}} = '{name}', ${{value_{name}}}, {value})"
    yield _calculated("value", value)


def _evidence(*, required: str) -> Iterator[dict[str, str]]:
    yield _row("begin_repeat", "evidence")
    yield {**_row("image", "uri"), "required": required, "parameters": "max-pixels=2048"}
    yield {**_row("dateTime", "taken_at"), "relevant": "${uri} != ''"}
    yield _end("repeat")


def _id(name: str, *, required: str = "yes") -> dict[str, str]:
    uuid = _matches("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    return {**_row("text", name), "required": required, "constraint": uuid, **_WRONG}


def _request_id() -> dict[str, str]:
    """Made once for a filled form, so that sending it twice changes nothing."""
    return _calculated("request_id", "once(uuid())")


def _calculated(name: str, calculation: str) -> dict[str, str]:
    return {**dict.fromkeys(SURVEY, ""), "type": "calculate", "name": name, "calculation": calculation}


def _written(name: str, *, most: int) -> dict[str, str]:
    return {**_row("text", name), "constraint": f"string-length(.) <= {most}", **_WRONG}


def _moment(name: str) -> dict[str, str]:
    """A time at most 7 days ago, as the service takes it of devices that were offline."""
    past = ". <= now() and decimal-date-time(.) >= decimal-date-time(now()) - 7"
    return {**_row("dateTime", name), "default": "now()", "constraint": past, **_WRONG}


FORMS: Mapping[str, Form] = {
    "resident": Form(pb.ResidentDraft.DESCRIPTOR, "居民信息采集", "Resident"),
    "household": Form(pb.HouseholdDraft.DESCRIPTOR, "家庭户信息采集", "Household", _household),
    "collection": Form(collection_service_pb2.SubmitFieldsRequest.DESCRIPTOR, "动态采集", "Proposed values", _submission),
    "field_check": Form(
        collection_service_pb2.CompleteFieldCheckRequest.DESCRIPTOR, "上门核实", "Order to go and look", _check
    ),
    "care_visit": Form(care_pb2.RecordVisitRequest.DESCRIPTOR, "走访记录（三必访三必看三必查）", "Visit of care", _visit),
}


def _sheet(sheet: Any, title: str, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    sheet.title = title
    sheet.append(list(columns))
    for row in rows:
        sheet.append([row[column] for column in columns])
