"""protovalidate rules as JSON Schema keywords, and whether they make a field required."""

from __future__ import annotations

from typing import Any

from buf.validate import validate_pb2
from google.protobuf.descriptor import FieldDescriptor

Schema = dict[str, Any]

_FORMATS = {
    "uuid": "uuid",
    "email": "email",
    "hostname": "hostname",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "uri": "uri",
    "uri_ref": "uri-reference",
}
_STRING = {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "const": "const"}
_NUMBER = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum", "const": "const"}
_REPEATED = {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"}
_MAP = {"min_pairs": "minProperties", "max_pairs": "maxProperties"}
_NUMBERS = {"float", "double", "int32", "uint32", "sint32", "fixed32", "sfixed32"}  # 64-bit numbers are strings in JSON


def rules_of(field: FieldDescriptor) -> Any:
    """Returns the buf.validate.FieldRules of a field."""
    options: Any = field.GetOptions()
    return options.Extensions[validate_pb2.field]


def keywords(rules: Any) -> Schema:
    """Returns the JSON Schema keywords that say what `rules` (buf.validate.FieldRules) say."""
    kind = rules.WhichOneof("type")
    if kind is None:
        return {}
    detail = getattr(rules, kind)
    if kind == "string":
        return _string(detail)
    if kind in _NUMBERS:
        return {**_pick(detail, _NUMBER), **_choices(detail)}
    if kind == "repeated":
        return {**_pick(detail, _REPEATED), **_nested(detail, "items")}
    if kind == "map":
        return {**_pick(detail, _MAP), **_nested(detail, "values", "additionalProperties")}
    return {}


def _pick(detail: Any, names: dict[str, str]) -> Schema:
    return {keyword: getattr(detail, name) for name, keyword in names.items() if detail.HasField(name)}


def _choices(detail: Any) -> Schema:
    allowed = list(getattr(detail, "in"))
    return {"enum": allowed} if allowed else {}


def _string(detail: Any) -> Schema:
    schema = {**_pick(detail, _STRING), **_choices(detail)}
    if detail.HasField("len"):
        schema["minLength"] = schema["maxLength"] = detail.len
    known = detail.WhichOneof("well_known")
    if known in _FORMATS and getattr(detail, known):
        schema["format"] = _FORMATS[known]
    return schema


def _nested(detail: Any, name: str, keyword: str = "items") -> Schema:
    inner = keywords(getattr(detail, name)) if detail.HasField(name) else {}
    return {keyword: inner} if inner else {}


def required(field: FieldDescriptor) -> bool:
    """Tells whether a request without the field is refused: it is required, or its rules refuse the default."""
    rules = rules_of(field)
    if rules.required:
        return True
    if rules.ignore != validate_pb2.IGNORE_UNSPECIFIED or field.has_presence:
        return False
    kind = rules.WhichOneof("type")
    return kind is not None and _refuses_default(kind, getattr(rules, kind))


def _refuses_default(kind: str, detail: Any) -> bool:
    if kind == "string":
        return detail.min_len > 0 or detail.len > 0 or detail.WhichOneof("well_known") in _FORMATS
    if kind == "enum":
        return 0 in detail.not_in
    if kind == "repeated":
        return detail.min_items > 0
    return kind in _NUMBERS and bool((detail.HasField("gt") and detail.gt >= 0) or (detail.HasField("gte") and detail.gte > 0))


def refused_values(field: FieldDescriptor) -> set[int]:
    """Returns the enum numbers that the rules of an enum field refuse."""
    rules = rules_of(field)
    return set(rules.enum.not_in) if rules.WhichOneof("type") == "enum" else set()


def sentences(rules: Any) -> list[str]:
    """Returns what CEL rules say in words; JSON Schema cannot."""
    return [rule.message or rule.expression for rule in rules.cel]
