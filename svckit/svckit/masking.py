"""Hides personal data in messages, as the field option `(binglian.options.v1.personal)` says.

The functions are generated once per message type; a type without personal fields, however deep, has none and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from binglian.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from svckit.generating import Workshop, assignment, attribute, indent
from svckit.wellknown import is_map, map_value, part_of

M = TypeVar("M", bound=Message)

HIDDEN = "***"
_shop = Workshop()


def mask_text(value: str) -> str:
    """Hides the whole text."""
    return HIDDEN if value else value


def mask_name(value: str) -> str:
    """Keeps the first character: 王小明 becomes 王**."""
    return value[:1] + "*" * (len(value) - 1) if len(value) > 1 else "*" * len(value)


def mask_phone(value: str) -> str:
    """Keeps the first 3 and last 4 digits: 138****5678. What is shorter than 8 is hidden wholly."""
    return f"{value[:3]}****{value[-4:]}" if len(value) > 7 else mask_text(value)


def mask_id_number(value: str) -> str:
    """Keeps the first 6 and last 2 characters: 420502**********1X. What is shorter than 15 is hidden wholly."""
    return f"{value[:6]}{'*' * (len(value) - 8)}{value[-2:]}" if len(value) > 14 else mask_text(value)


_FORMS: dict[int, Callable[[str], str]] = {
    options_pb2.MASK_UNSPECIFIED: mask_text,
    options_pb2.MASK_NAME: mask_name,
    options_pb2.MASK_PHONE: mask_phone,
    options_pb2.MASK_ID_NUMBER: mask_id_number,
}


def masker_of(descriptor: Descriptor) -> Callable[[M], M] | None:
    """Returns the function that gives a masked copy of a message, or the message itself when it shows no personal data.

    None if no message of this type can hold personal data. The message given is never changed: others may be reading it.
    """
    if not _holds_personal(descriptor, set()):
        return None
    shows, hide = _functions(descriptor)

    def mask(message: M) -> M:
        if not shows(message):
            return message
        copy = type(message)()
        copy.CopyFrom(message)
        hide(copy)
        return copy

    return mask


def is_masked(field: FieldDescriptor) -> bool:
    """Tells whether the field is hidden from callers without a purpose: sensitivity L3 or above."""
    mark = field.GetOptions().Extensions[options_pb2.personal]
    return bool(mark.sensitivity >= options_pb2.SENSITIVITY_L3)


def _holds_personal(descriptor: Descriptor, seen: set[str]) -> bool:
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    return any(is_masked(field) or _inner_personal(field, seen) for field in descriptor.fields)


def _inner_personal(field: FieldDescriptor, seen: set[str]) -> bool:
    return bool(field.message_type and _holds_personal(field.message_type, seen))


_made: dict[Descriptor, int] = {}


def _functions(descriptor: Descriptor) -> tuple[Callable[[Message], bool], Callable[[Message], None]]:
    number = _number(descriptor)
    return _shop.function(f"shows{number}"), _shop.function(f"hide{number}")


def _number(descriptor: Descriptor) -> int:
    if descriptor in _made:
        return _made[descriptor]
    number = _made[descriptor] = len(_made)
    personal = [field for field in descriptor.fields if is_masked(field)]
    inner = [field for field in descriptor.fields if not is_masked(field) and _inner_personal(field, set())]
    shows = [line for field in personal for line in _shows_own(field)] + [
        line for field in inner for line in _shows_inner(field)
    ]
    _shop.compile(f"shows{number}", "m", [*shows, "return False"])
    _shop.compile(f"hide{number}", "m", [line for field in personal for line in _hide_own(field)] + _hide_all(inner))
    return number


def _shows_own(field: FieldDescriptor) -> list[str]:
    present = f"m.HasField({field.name!r})" if field.has_presence else attribute("m", field.name)
    return [f"if {present}: return True"]


def _shows_inner(field: FieldDescriptor) -> list[str]:
    value = attribute("m", field.name)
    if is_map(field):
        return [f"for x in {value}.values():", f"    if shows{_number(part_of(map_value(field)))}(x): return True"]
    shows = f"shows{_number(part_of(field))}"
    if field.is_repeated:
        return [f"for x in {value}:", f"    if {shows}(x): return True"]
    return [f"if m.HasField({field.name!r}) and {shows}({value}): return True"]


def _hide_own(field: FieldDescriptor) -> list[str]:
    if field.type != FieldDescriptor.TYPE_STRING:
        return [f"m.ClearField({field.name!r})"]  # there is no half of a date or a message
    value = attribute("m", field.name)
    form = _shop.bind(_FORMS[field.GetOptions().Extensions[options_pb2.personal].mask])
    if field.is_repeated:
        return [f"{value}[:] = [{form}(x) for x in {value}]"]
    return [f"if {value}:", *indent([assignment("m", field.name, f"{form}({value})")])]


def _hide_all(inner: list[FieldDescriptor]) -> list[str]:
    lines: list[str] = []
    for field in inner:
        value = attribute("m", field.name)
        if is_map(field):
            lines += [f"for x in {value}.values():", f"    hide{_number(part_of(map_value(field)))}(x)"]
        elif field.is_repeated:
            lines += [f"for x in {value}:", f"    hide{_number(part_of(field))}(x)"]
        else:
            lines += [f"if m.HasField({field.name!r}):", f"    hide{_number(part_of(field))}({value})"]
    return lines
