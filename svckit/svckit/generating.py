"""Writes small Python functions as source and compiles them: the codecs, validators and maskers made once per message type.

All functions of one `Workshop` share a namespace, so that they may call each other by name before all of them exist
(messages refer to themselves, directly or in a circle).
"""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Workshop:
    """A namespace of generated functions and of the objects they use."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._space: dict[str, Any] = {}
        self._kept: list[object] = []

    def bind(self, value: object) -> str:
        """Makes `value` usable in generated source and returns the name it has there."""
        name = self._names.get(id(value))
        if name is None:
            name = f"o{len(self._names)}"
            self._names[id(value)] = name
            self._kept.append(value)  # keeps id(value) from being used again
            self._space[name] = value
        return name

    def compile(self, name: str, arguments: str, lines: list[str]) -> Callable[..., Any]:
        """Compiles `def name(arguments)` with the body `lines` into the namespace and returns it."""
        source = f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in lines or ["pass"])
        # The source comes from descriptors, never from input.
        exec(compile(source, f"<generated {name}>", "exec"), self._space)  # noqa: S102
        function: Callable[..., Any] = self._space[name]
        return function

    def function(self, name: str) -> Callable[..., Any]:
        """Returns a compiled function by its name."""
        found: Callable[..., Any] = self._space[name]
        return found


def indent(lines: list[str]) -> list[str]:
    """Returns `lines` one level deeper."""
    return [f"    {line}" for line in lines]


def attribute(target: str, name: str) -> str:
    """Returns the expression that reads attribute `name`, also where the name is a Python keyword."""
    return f"getattr({target}, {name!r})" if keyword.iskeyword(name) else f"{target}.{name}"


def assignment(target: str, name: str, value: str) -> str:
    """Returns the statement that sets attribute `name`, also where the name is a Python keyword."""
    return f"setattr({target}, {name!r}, {value})" if keyword.iskeyword(name) else f"{target}.{name} = {value}"
