"""Hides personal data in messages, as the field option `(binglian.options.v1.personal)` says.

The functions are generated once per message type; a type without personal fields, however deep, has none and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from binglian.options.v1 import options_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from svckit.generating import Workshop, assignment, attribute, indent
from svckit.wellknown import is_map, map_value, part_of

M = TypeVar("M", bound=Message)

HIDDEN = "***"


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
    """Keeps the first 6 and the last character (sensitive_field.csv): 420502***********X. What is shorter than 15 is hidden wholly."""
    return f"{value[:6]}{'*' * (len(value) - 7)}{value[-1:]}" if len(value) > 14 else mask_text(value)


def mask_year(value: str) -> str:
    """Keeps the year of a date YYYY-MM-DD: 1990-**-**. What is no such date is hidden wholly."""
    return f"{value[:4]}-**-**" if len(value) == 10 else mask_text(value)


_FORMS: dict[int, Callable[[str], str]] = {
    options_pb2.MASK_UNSPECIFIED: mask_text,
    options_pb2.MASK_NAME: mask_name,
    options_pb2.MASK_PHONE: mask_phone,
    options_pb2.MASK_ID_NUMBER: mask_id_number,
    options_pb2.MASK_YEAR: mask_year,
}


def masker_of(descriptor: Descriptor, *, hides: int = options_pb2.SENSITIVITY_L2) -> Callable[[M], M] | None:
    """Returns the function that gives a masked copy of a message, or the message itself when it shows nothing to hide.

    Hidden are fields of sensitivity `hides` and above, of L2 only those that name a mask. None if no message of this type can hold
    such fields. The message given is never changed: others may be reading it.
    """
    maker = _Maker.at(hides)
    if not maker.concerns(descriptor):
        return None
    shows, hide = maker.functions(descriptor)

    def mask(message: M) -> M:
        if not shows(message):
            return message
        copy = type(message)()
        copy.CopyFrom(message)
        hide(copy)
        return copy

    return mask


def sensitivity_of(field: FieldDescriptor) -> int:
    """Returns the declared sensitivity of a field, SENSITIVITY_UNSPECIFIED (0) for one that is not personal."""
    return int(field.GetOptions().Extensions[options_pb2.personal].sensitivity)


def is_hidden(field: FieldDescriptor, *, hides: int = options_pb2.SENSITIVITY_L2) -> bool:
    """Tells whether a field is hidden where `hides` and above are: by default from callers who state no purpose."""
    personal = field.GetOptions().Extensions[options_pb2.personal]
    if personal.sensitivity == options_pb2.SENSITIVITY_L2 and personal.mask == options_pb2.MASK_UNSPECIFIED:
        return False
    return bool(personal.sensitivity >= hides)


class _Maker:
    """Makes, for one level, a pair of functions per message type: shows(m) tells whether something is to hide, hide(m) hides it."""

    _made: ClassVar[dict[int, _Maker]] = {}

    def __init__(self, level: int) -> None:
        self._level = level
        self._shop = Workshop()
        self._numbers: dict[Descriptor, int] = {}

    @classmethod
    def at(cls, level: int) -> _Maker:
        return cls._made.setdefault(level, cls(level))

    def concerns(self, descriptor: Descriptor, seen: frozenset[str] = frozenset()) -> bool:
        """Tells whether the type has a field to hide, however deep."""
        if descriptor.full_name in seen:
            return False
        inside = seen | {descriptor.full_name}
        return any(self._hidden(field) or self._leads_on(field, inside) for field in descriptor.fields)

    def functions(self, descriptor: Descriptor) -> tuple[Callable[[Message], bool], Callable[[Message], None]]:
        number = self._number(descriptor)
        return self._shop.function(f"shows{number}"), self._shop.function(f"hide{number}")

    def _hidden(self, field: FieldDescriptor) -> bool:
        return is_hidden(field, hides=self._level)

    def _leads_on(self, field: FieldDescriptor, seen: frozenset[str] = frozenset()) -> bool:
        return bool(field.message_type and self.concerns(field.message_type, seen))

    def _number(self, descriptor: Descriptor) -> int:
        if descriptor in self._numbers:
            return self._numbers[descriptor]
        number = self._numbers[descriptor] = len(self._numbers)
        own = [field for field in descriptor.fields if self._hidden(field)]
        inner = [field for field in descriptor.fields if not self._hidden(field) and self._leads_on(field)]
        shows = [line for field in own for line in _shows_own(field)]
        shows += [line for field in inner for line in self._shows_inner(field)]
        hide = [line for field in own for line in self._hide_own(field)]
        hide += [line for field in inner for line in self._hide_inner(field)]
        self._shop.compile(f"shows{number}", "m", [*shows, "return False"])
        self._shop.compile(f"hide{number}", "m", hide)
        return number

    def _shows_inner(self, field: FieldDescriptor) -> list[str]:
        shows, value = f"shows{self._number(_inner(field))}", attribute("m", field.name)
        if field.is_repeated:
            return [f"for x in {_items(field, value)}:", f"    if {shows}(x): return True"]
        return [f"if m.HasField({field.name!r}) and {shows}({value}): return True"]

    def _hide_inner(self, field: FieldDescriptor) -> list[str]:
        hide, value = f"hide{self._number(_inner(field))}", attribute("m", field.name)
        if field.is_repeated:
            return [f"for x in {_items(field, value)}:", f"    {hide}(x)"]
        return [f"if m.HasField({field.name!r}):", f"    {hide}({value})"]

    def _hide_own(self, field: FieldDescriptor) -> list[str]:
        if field.type != FieldDescriptor.TYPE_STRING:
            return [f"m.ClearField({field.name!r})"]  # there is no half of a date or a message
        value = attribute("m", field.name)
        form = self._shop.bind(_FORMS[field.GetOptions().Extensions[options_pb2.personal].mask])
        if field.is_repeated:
            return [f"{value}[:] = [{form}(x) for x in {value}]"]
        return [f"if {value}:", *indent([assignment("m", field.name, f"{form}({value})")])]


def _inner(field: FieldDescriptor) -> Descriptor:
    return part_of(map_value(field)) if is_map(field) else part_of(field)


def _items(field: FieldDescriptor, value: str) -> str:
    return f"{value}.values()" if is_map(field) else value


def _shows_own(field: FieldDescriptor) -> list[str]:
    present = f"m.HasField({field.name!r})" if field.has_presence else attribute("m", field.name)
    return [f"if {present}: return True"]
