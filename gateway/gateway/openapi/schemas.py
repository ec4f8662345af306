"""JSON Schemas of messages and enums, as components that refer to each other."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.openapi.comments import comment_of
from gateway.openapi.rules import Schema, keywords, refused_values, required, rules_of, sentences
from svckit.wellknown import is_map, map_value, part_of

F = FieldDescriptor
_INT32 = {"type": "integer", "format": "int32"}
_UINT32 = {"type": "integer", "format": "int64", "minimum": 0}
_LONG = {"type": "string", "format": "int64", "pattern": "^-?[0-9]{1,20}$"}
_SCALARS: dict[int, Schema] = {
    F.TYPE_DOUBLE: {"type": "number", "format": "double"},
    F.TYPE_FLOAT: {"type": "number", "format": "float"},
    F.TYPE_BOOL: {"type": "boolean"},
    F.TYPE_STRING: {"type": "string"},
    F.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
    **dict.fromkeys((F.TYPE_INT32, F.TYPE_SINT32, F.TYPE_SFIXED32), _INT32),
    **dict.fromkeys((F.TYPE_UINT32, F.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((F.TYPE_INT64, F.TYPE_SINT64, F.TYPE_SFIXED64, F.TYPE_UINT64, F.TYPE_FIXED64), _LONG),
}
_WELL_KNOWN: dict[str, Schema] = {
    "Timestamp": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "FieldMask": {"type": "string", "description": "lowerCamelCase field paths joined by commas."},
    "Struct": {"type": "object"},
    "Value": {},
    "ListValue": {"type": "array", "items": {}},
    "Empty": {"type": "object"},
    "Any": {"type": "object", "properties": {"@type": {"type": "string"}}, "required": ["@type"]},
}


class Schemas:
    """Collects the components that the schemas asked for refer to."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of_message(self, descriptor: Descriptor) -> Schema:
        """Returns the schema of a message type: a reference, or the form a well-known type has."""
        if descriptor.file.package == "google.protobuf":
            return self._well_known(descriptor)
        return self._refer(descriptor.full_name, lambda: self.object_of(descriptor))

    def object_of(self, descriptor: Descriptor, *, without: frozenset[str] = frozenset()) -> Schema:
        """Returns the object schema of a message type, without the named fields (those that stand in the path)."""
        fields = [field for field in descriptor.fields if field.name not in without]
        schema: Schema = {"type": "object"}
        description = comment_of(descriptor.full_name)
        if description:
            schema["description"] = description
        schema["properties"] = {field.json_name: self.of_field(field) for field in fields}
        needed = [field.json_name for field in fields if required(field)]
        return {**schema, "required": needed} if needed else schema

    def of_field(self, field: FieldDescriptor) -> Schema:
        """Returns the schema of a field with its comment and rules."""
        rules = rules_of(field)
        notes = [comment_of(field.full_name), *sentences(rules)]
        schema = self._shape(field, keywords(rules))
        description = "\n".join(note for note in notes if note)
        return {**schema, "description": description} if description else schema

    def _shape(self, field: FieldDescriptor, extra: Schema) -> Schema:
        if is_map(field):
            values = {**self._one(map_value(field)), **extra.pop("additionalProperties", {})}
            return {"type": "object", "additionalProperties": values, **extra}
        if field.is_repeated:
            return {"type": "array", "items": {**self._one(field), **extra.pop("items", {})}, **extra}
        return {**self._one(field), **extra}

    def _one(self, field: FieldDescriptor) -> Schema:
        if field.message_type:
            return self.of_message(part_of(field))
        if field.enum_type:
            return self._enum(field.enum_type, refused_values(field))
        return dict(_SCALARS[field.type])

    def _enum(self, descriptor: EnumDescriptor, refused: set[int]) -> Schema:
        if descriptor.full_name == "google.protobuf.NullValue":
            return {"type": "null"}
        reference = self._refer(descriptor.full_name, lambda: _enum_schema(descriptor))
        if not refused:
            return reference
        return {**reference, "not": {"enum": [value.name for value in descriptor.values if value.number in refused]}}

    def _well_known(self, descriptor: Descriptor) -> Schema:
        known = _WELL_KNOWN.get(descriptor.name)
        if known is not None:
            return dict(known)
        wrapped = dict(_SCALARS[descriptor.fields_by_name["value"].type])
        return {**wrapped, "type": [wrapped["type"], "null"]}

    def _refer(self, full_name: str, make: Any) -> Schema:
        name = component_name(full_name)
        if name not in self.components:
            self.components[name] = {}  # a message may contain itself
            self.components[name] = make()
        return {"$ref": f"#/components/schemas/{name}"}


def component_name(full_name: str) -> str:
    """Returns the name a type has among the components: `mediation.v1.Case`."""
    return full_name.removeprefix("binglian.")


def _enum_schema(descriptor: EnumDescriptor) -> Schema:
    lines = [comment_of(descriptor.full_name)]
    for value in descriptor.values:
        text = comment_of(f"{descriptor.full_name}.{value.name}")
        lines.append(f"- `{value.name}`: {text}" if text else f"- `{value.name}`")
    return {"type": "string", "enum": [value.name for value in descriptor.values], "description": "\n".join(lines).strip()}
