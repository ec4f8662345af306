"""Calls with many entries: all entries are judged before any is written, and each has a command of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from svckit.documents import Command
from svckit.errors import InvalidArgument

T = TypeVar("T")
R = TypeVar("R")


def part(command: Command, index: int) -> Command:
    """Returns the command of one entry of a call."""
    return Command(key=f"{command.key}#{index}", digest=command.digest)


def judge_all(entries: Sequence[T], judge: Callable[[int, T], R], *, field: str) -> list[R]:
    """Returns what `judge(index, entry)` gives for every entry. Raises one InvalidArgument naming every wrong one."""
    results: list[R] = []
    violations: list[tuple[str, str]] = []
    first: InvalidArgument | None = None
    for index, entry in enumerate(entries):
        try:
            results.append(judge(index, entry))
        except InvalidArgument as error:
            first = first or error
            violations += [(f"{field}[{index}].{path}" if path else f"{field}[{index}]", text) for path, text in _told(error)]
    if first is not None:
        raise InvalidArgument(
            f"{len(violations)} entries are wrong; nothing was written.", reason=first.reason, violations=tuple(violations)
        )
    return results


def _told(error: InvalidArgument) -> tuple[tuple[str, str], ...]:
    return error.violations or (("", error.message),)
