"""Breaks Chinese text into lines: anywhere between characters, but no closing mark begins a line, no opening one ends it, and
numbers and Latin words stay whole (W3C, Requirements for Chinese Text Layout, 3.1). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_NEVER_FIRST = "，。、；：？！）》」』】”’…—％%,.;:?!)"
_NEVER_LAST = "（《「『【“‘(¥"
# A Latin word or number with the marks inside it; else one character with all closing marks that follow.
_WORD = re.compile(r"[A-Za-z0-9¥][A-Za-z0-9.,/:*-]*[A-Za-z0-9*]|\s|[^\s]", re.ASCII)


def broken(text: str, *, width: float, measure: Callable[[str], float], indent: float = 0) -> list[str]:
    """Returns the lines of a text, the first of each paragraph shorter by `indent`; lengths in the unit of `measure`."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        lines += _paragraph(paragraph, width, measure, indent)
    return lines


def _paragraph(text: str, width: float, measure: Callable[[str], float], indent: float) -> list[str]:
    lines, line, room = [], "", width - indent
    for piece in _pieces(text, width - indent, measure):
        if line and measure(line + piece.rstrip()) > room:
            lines.append(line.rstrip())
            line, room = piece.lstrip(), width
        else:
            line += piece
    return [*lines, line]


def _pieces(text: str, width: float, measure: Callable[[str], float]) -> Iterator[str]:
    """Yields what must not be broken; what alone is wider than a line is broken after all."""
    piece = ""
    for part in _WORD.findall(text):
        joined = part in _NEVER_FIRST or (piece and piece[-1] in _NEVER_LAST)
        if piece and not (joined and measure(piece + part) <= width):
            yield piece
            piece = ""
        if measure(part) > width:
            yield from part
            continue
        piece += part
    if piece:
        yield piece
