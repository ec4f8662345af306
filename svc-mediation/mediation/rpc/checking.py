"""What is typed into requests is checked before anything else is done with them; see `policies.free_text`.

Which fields of a request hold free text is worked out once per message type. A request without anything to refuse or mask, as nearly all
are, costs one pass over its texts.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any, NamedTuple, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from mediation.policies import free_text

Servicer = TypeVar("Servicer")

# Fields of requests about cases in which people write what they like; a test holds every other text to be a code or a number.
FREE_TEXTS = frozenset(
    {
        *("address", "authority", "comment", "demand", "description", "instruction", "notice", "parties_informed", "reason"),
        *("remark", "remedies", "result", "text", "unified_reply"),
    }
)
_LINK = "uri"
# No word and no number goes over this.
_BETWEEN = "\n\n"


class _Part(NamedTuple):
    """A field that holds free text or a link, or (`inner`) messages with such fields."""

    name: str
    repeated: bool
    inner: Descriptor | None


def checks_texts(cls: type[Servicer]) -> type[Servicer]:
    """Lets a servicer's rpcs that change something see only requests that were tidied; its others stay as they are."""
    for name, method in list(vars(cls).items()):
        if name[:1].isupper() and inspect.iscoroutinefunction(method):
            setattr(cls, name, _checking(method))
    return cls


def _checking(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def checked(self: Any, request: Any, context: Any) -> Any:
        tidy_request(request)
        return await method(self, request, context)

    return checked


def tidy_request(request: Message) -> None:
    """Masks numbers of people in the texts of a request. Raises InvalidArgument naming the first field that must not be kept.

    The request is changed in place: what is compared when it is repeated is what was kept.
    """
    if not _is_mutation(request.DESCRIPTOR):
        return
    if not free_text.is_harmless(_BETWEEN.join(_texts(request))):
        _tidy(request, "")


@cache
def _is_mutation(descriptor: Descriptor) -> bool:
    return "request_id" in descriptor.fields_by_name and bool(_parts(descriptor))


@cache
def _parts(descriptor: Descriptor) -> tuple[_Part, ...]:
    return tuple(part for field in descriptor.fields if (part := _part(field)))


def _part(field: FieldDescriptor) -> _Part | None:
    if field.message_type is not None:
        return _Part(field.name, field.is_repeated, field.message_type) if _parts(field.message_type) else None
    wanted = field.type == FieldDescriptor.TYPE_STRING and (field.name in FREE_TEXTS or field.name == _LINK)
    return _Part(field.name, field.is_repeated, None) if wanted else None


def _texts(message: Message) -> Iterator[str]:
    for name, repeated, inner in _parts(message.DESCRIPTOR):
        value = getattr(message, name)
        if inner is not None:
            for each in value if repeated else (value,):
                yield from _texts(each)
        elif repeated:
            yield from value
        elif value:
            yield value


def _tidy(message: Message, path: str) -> None:
    for name, repeated, inner in _parts(message.DESCRIPTOR):
        value, at = getattr(message, name), path + name
        if inner is not None:
            for index, each in enumerate(value if repeated else (value,)):
                _tidy(each, f"{at}[{index}]." if repeated else f"{at}.")
        elif name == _LINK:
            free_text.check_link(value, field=at)
            free_text.check_words(value, field=at)
        elif repeated:
            value[:] = [free_text.tidy(each, field=f"{at}[{index}]") for index, each in enumerate(value)]
        elif value:
            setattr(message, name, free_text.tidy(value, field=at))
