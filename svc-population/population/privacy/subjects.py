"""Whom a message is about: the ids of residents in it, and the parts that belong to each. Compiled once per message type."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from svckit.wellknown import is_map, map_value, part_of

ID, IDS = "resident_id", "resident_ids"
Walk = Callable[[Any], Iterator[tuple[str, Message]]]


def people_in(message: Message) -> Iterator[tuple[str, Message]]:
    """Yields (resident id, the part of the message that names it) for everybody the message is about, in its order."""
    walk = _walk_of(message.DESCRIPTOR)
    return walk(message) if walk else iter(())


@cache
def concerns_people(descriptor: Descriptor) -> bool:
    """Tells whether messages of a type can name a resident, however deep."""
    return _concerns(descriptor, frozenset())


def _concerns(descriptor: Descriptor, seen: frozenset[str]) -> bool:
    if descriptor.full_name in seen:
        return False
    inside = seen | {descriptor.full_name}
    return any(field.name in (ID, IDS) or _leads_on(field, inside) for field in descriptor.fields)


def _leads_on(field: FieldDescriptor, seen: frozenset[str]) -> bool:
    return bool(field.message_type) and _concerns(_inner(field), seen)


@cache
def _walk_of(descriptor: Descriptor) -> Walk | None:
    if not concerns_people(descriptor):
        return None
    own = [field for field in descriptor.fields if field.name in (ID, IDS) and not field.message_type]
    inner = [field for field in descriptor.fields if field.message_type and concerns_people(_inner(field))]

    def walk(message: Any) -> Iterator[tuple[str, Message]]:
        for field in own:
            value = getattr(message, field.name)
            for id in value if field.is_repeated else (value,):
                if id:
                    yield id, message
        for field in inner:
            for part in _parts(message, field):
                yield from people_in(part)

    return walk


def _parts(message: Any, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if is_map(field):
        return value.values()
    if field.is_repeated:
        return value
    return (value,) if message.HasField(field.name) else ()


def _inner(field: FieldDescriptor) -> Descriptor:
    return part_of(map_value(field)) if is_map(field) and map_value(field).message_type else part_of(field)
