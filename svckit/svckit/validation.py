"""Checks requests against the protovalidate rules in their protos.

The validator is native code: about 1 µs for a small request and 8 µs for a large one, so the rules are not compiled by us.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import protovalidate
from google.protobuf.message import Message

from svckit.errors import InvalidArgument

_collect = protovalidate.Validator().collect_violations


def validator_of(cls: type[Message]) -> Callable[[Message], None]:
    """Returns the function that raises InvalidArgument (VALIDATION_FAILED) naming every rule a message of `cls` breaks.

    The rules are compiled here: a rule that cannot be compiled raises protovalidate.CompilationError now, not in a call.
    """
    _collect(cls())
    return _check


def _check(message: Message) -> None:
    violations = _collect(message)
    if violations:
        found = tuple((field_path(violation.proto.field), violation.proto.message) for violation in violations)
        field, text = found[0]
        raise InvalidArgument(f"{field}: {text}" if field else text, reason="VALIDATION_FAILED", field=field, violations=found)


def field_path(path: Any) -> str:
    """Returns a protovalidate field path as text: `photos[0].uri`."""
    return ".".join(_element(element) for element in path.elements) if path else ""


def _element(element: Any) -> str:
    subscript = element.subscript
    if not subscript:
        return str(element.field_name)
    shown = f'"{subscript.value}"' if isinstance(subscript.value, str) else str(subscript.value).lower()
    return f"{element.field_name}[{shown}]"
