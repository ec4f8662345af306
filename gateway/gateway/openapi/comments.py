"""Comments of the protos, by full name: from the descriptor set that `make proto` writes with its source information."""

from __future__ import annotations

import importlib.resources
import logging
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.message import DecodeError

_log = logging.getLogger(__name__)


@cache
def comments() -> dict[str, str]:
    """Returns the comment above every message, field, enum, value, service and rpc that has one. Empty without the set."""
    source = importlib.resources.files("binglian") / "descriptors.binpb"
    if not source.is_file():
        return {}
    try:
        files = FileDescriptorSet.FromString(source.read_bytes()).file
    except DecodeError:
        _log.warning("the descriptor set is damaged; run `make proto`. The API is described without comments until then")
        return {}
    return {name: text for file in files for name, text in _of_file(file)}


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        text = location.leading_comments.strip()
        if text:
            name = _name(file, location.path)
            if name:
                yield f"{file.package}.{name}", "\n".join(line.strip() for line in text.splitlines())


def _name(file: FileDescriptorProto, path: Sequence[int]) -> str:
    """The dotted name of what a source location points at, "" for what has none (imports, options)."""
    names: list[str] = []
    here: Any = file
    for number, index in zip(path[::2], path[1::2], strict=False):
        field = here.DESCRIPTOR.fields_by_number[number]
        if field.name == "options" or not field.is_repeated or field.message_type is None:
            return ""
        here = getattr(here, field.name)[index]
        names.append(getattr(here, "name", ""))
    return ".".join(names) if len(path) % 2 == 0 and all(names) else ""


def comment_of(full_name: str) -> str:
    """Returns the comment of something by its full name, "" when it has none. Enum values are named below their enum."""
    return comments().get(full_name, "")
