"""What one aggregate differs from another by, as paths into the stored document: a long case costs what changes in it. Pure."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import msgspec
from msgspec.structs import astuple

Document = dict[str, Any]

# Stored as they are: BSON knows both, and a text would lose order (datetime) or size (bytes).
NATIVE = (dt.datetime, bytes)
_NONE = object()


def stored(value: Any) -> Any:
    """Returns a value as BSON takes it: structs become dicts, enums their values, times stay times."""
    return msgspec.to_builtins(value, builtin_types=NATIVE)


def differences(path: str, old: Any, new: Any) -> Document:
    """Returns the smallest parts of `new` (which differs from `old`) by their paths below `path`, as they are stored."""
    found: Document | None = None
    if isinstance(new, tuple):
        found = _of_elements(path, old, new)
    elif isinstance(new, msgspec.Struct) and type(old) is type(new):
        found = _of_fields(path, old, new)
    return {path: stored(new)} if found is None else found


def _of_elements(path: str, old: Any, new: tuple[Any, ...]) -> Document | None:
    """The changed and the added elements of a tuple; None where the whole has to be written.

    MongoDB appends what is set at the end of a list, but makes no list where there is none: an empty one is written whole.
    """
    if not isinstance(old, tuple) or not 0 < len(old) <= len(new):
        return None
    found: Document = {}
    for at, was in enumerate(old):
        value = new[at]
        if value is not was and value != was:
            found.update(differences(f"{path}.{at}", was, value))
    for at in range(len(old), len(new)):
        found[f"{path}.{at}"] = stored(new[at])
    return found


def _of_fields(path: str, old: msgspec.Struct, new: msgspec.Struct) -> Document | None:
    """The changed fields of a struct; None where the whole has to be written.

    A field that is left out of the document while it has its default cannot be entered before it is there, nor be left out again
    by setting it.
    """
    changed = []
    for (name, default, omits), was, value in zip(_layout(type(new)), astuple(old), astuple(new), strict=True):
        if value is was or value == was:
            continue
        if omits and value == default:
            return None
        changed.append((name, default, was, value))
    found: Document = {}
    for name, default, was, value in changed:
        # It may not be there: left out, or written before there was such a field.
        if was == default:
            found[f"{path}.{name}"] = stored(value)
        else:
            found.update(differences(f"{path}.{name}", was, value))
    return found


@cache
def _layout(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any, bool], ...]:
    """Fields of a struct: name in the document, default (_NONE: has none), whether the default is left out."""
    omits = kind.__struct_config__.omit_defaults
    return tuple((field.encode_name, _default(field), omits) for field in msgspec.structs.fields(kind))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default is not msgspec.NODEFAULT:
        return field.default
    return field.default_factory() if field.default_factory is not msgspec.NODEFAULT else _NONE
