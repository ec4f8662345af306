"""The collection forms as XLSForm, for field tools of the ODK family (ODK Collect, KoBoToolbox): made from the contract, never by hand.

Questions are the fields of the drafts somebody may enter, choices the code tables, constraints the rules of the proto; so a form cannot ask
for what may not be collected, and what it lets through the service takes.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import openpyxl
from binglian.population.v1 import resident_service_pb2 as pb
from buf.validate import validate_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from population.codes import rows_of
from population.identity import WEIGHTS
from population.privacy.screening import screen_columns

ZH, EN = "label::中文 (zh)", "label::English (en)"
_ZH_MESSAGE, _EN_MESSAGE = "constraint_message::中文 (zh)", "constraint_message::English (en)"
SURVEY = ("type", "name", ZH, EN, "required", "constraint", _ZH_MESSAGE, _EN_MESSAGE, "relevant", "default")
CHOICES = ("list_name", "name", ZH, EN)


class Form(msgspec.Struct, frozen=True):
    """A form: the message it fills, and its name."""

    message: Descriptor
    zh: str
    en: str
    tables: tuple[str, ...] = ()


FORMS: Mapping[str, Form] = {
    "resident": Form(pb.ResidentDraft.DESCRIPTOR, "居民信息采集", "Resident"),
    "household": Form(pb.HouseholdDraft.DESCRIPTOR, "家庭户信息采集", "Household"),
}
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
_TABLES = {
    "sex": "sex",
    "id_doc_type": "id_doc_type",
    "resident_type": "resident_type",
    "household_relation": "household_relation",
    "match_flag": "household_match_flag",
}
_DAYS = frozenset({"birth_date", "since"})
_CONTEXT = frozenset({"kind"})
"""Fields the place in the form says already."""


def workbook(name: str) -> bytes:
    """Returns a form as an XLSX file. Raises KeyError for a form that does not exist."""
    form = FORMS[name]
    survey = list(_questions(form.message, group=""))
    lists = sorted({row["type"].split()[1] for row in survey if row["type"].startswith("select_one ")})
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
    survey = list(_questions(FORMS[name].message, group=""))
    lists = sorted({row["type"].split()[1] for row in survey if row["type"].startswith("select_one ")})
    said = json.dumps([survey, [list(_choices(table)) for table in lists]], ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def asked(message: Descriptor) -> list[FieldDescriptor]:
    """Returns the fields of a draft a form asks for."""
    return [
        field
        for field in message.fields
        if field.name in LABELS and not field.is_repeated and not screen_columns([field.name, LABELS[field.name][0]])
    ]


def _questions(message: Descriptor, *, group: str) -> Iterator[dict[str, str]]:
    for field in asked(message):
        if field.message_type is not None:
            yield _row("begin_group", field.name)
            yield from _questions(field.message_type, group=field.name)
            yield {**dict.fromkeys(SURVEY, ""), "type": "end_group"}
        elif not (group and field.name in _CONTEXT):
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
        question |= {_ZH_MESSAGE: "格式不正确，请检查", _EN_MESSAGE: "Please check this value"}
    return question


def _row(kind: str, name: str) -> dict[str, str]:
    zh, en = LABELS[name]
    return {**dict.fromkeys(SURVEY, ""), "type": kind, "name": name, ZH: zh, EN: en}


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
    for code, (zh, en) in ENUMS[name].items():
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


def _sheet(sheet: Any, title: str, columns: tuple[str, ...], rows: list[dict[str, str]]) -> None:
    sheet.title = title
    sheet.append(list(columns))
    for row in rows:
        sheet.append([row[column] for column in columns])
