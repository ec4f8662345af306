"""The grammar of filters: a subset of AIP-160. Pure.

    filter      = expression
    expression  = sequence { "AND" sequence }
    sequence    = factor { factor }                 (words side by side mean AND)
    factor      = term { "OR" term }                (OR binds tighter than AND, as AIP-160 says)
    term        = [ "NOT" | "-" ] simple
    simple      = restriction | "(" expression ")"
    restriction = field comparator value
    comparator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":"
    value       = word | number | "text" | 'text' | "*"

Fields without a comparator, functions and dots are no part of it: every restriction says what is compared with what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from svckit.errors import InvalidArgument

LONGEST = 2_000
"""Characters of a filter."""
MOST_RESTRICTIONS = 50
DEEPEST = 20
"""Nested brackets."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<comparator><=|>=|!=|[=<>:])
      | (?P<bracket>[()])
      | (?P<minus>-(?=[A-Za-z(]))
      | (?P<word>\*|[+-]?[\w.+]+(?:-[\w.]+)*)
    )""",
    re.VERBOSE,
)


class Comparator(StrEnum):
    """How a field is compared; `:` means "has": a part of the area, or with `*` any value at all."""

    EQUALS = "="
    DIFFERS = "!="
    LESS = "<"
    AT_MOST = "<="
    GREATER = ">"
    AT_LEAST = ">="
    HAS = ":"


class Restriction(msgspec.Struct, frozen=True):
    """One comparison as it was written. `position` counts characters from 0; `quoted` tells `"*"` from `*`."""

    field: str
    comparator: Comparator
    value: str
    quoted: bool
    position: int


class Not(msgspec.Struct, frozen=True):
    """What does not hold."""

    part: Node


class And(msgspec.Struct, frozen=True):
    """What holds all together."""

    parts: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True):
    """What holds at least in part."""

    parts: tuple[Node, ...]


Node = Restriction | Not | And | Or


class _Token(msgspec.Struct, frozen=True):
    kind: str
    text: str
    position: int


def parse(text: str) -> Node | None:
    """Returns the tree of a filter, None for an empty one.

    Raises InvalidArgument (FILTER_INVALID, field `filter`) saying at which character it stops to make sense.
    """
    if len(text) > LONGEST:
        raise refused(f"a filter has at most {LONGEST} characters", position=LONGEST)
    tokens = list(_tokens(text))
    if not tokens:
        return None
    parser = _Parser(tokens, end=len(text))
    node = parser.expression(0)
    parser.check_end()
    return node


def refused(why: str, *, position: int) -> InvalidArgument:
    """Returns the error for a filter that makes no sense from `position` on (characters from 0; people count from 1)."""
    return InvalidArgument(
        f"The filter cannot be read at character {position + 1}: {why}.",
        reason="FILTER_INVALID",
        field="filter",
        metadata={"position": str(position + 1)},
    )


def _tokens(text: str) -> Iterator[_Token]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            stripped = len(text) - len(text[at:].lstrip())
            raise refused(f"{text[stripped]!r} has no meaning here", position=stripped)
        kind = found.lastgroup or ""
        yield _Token(kind, found[kind], found.start(kind))
        at = found.end()


class _Parser:
    """Recursive descent, one method per rule."""

    def __init__(self, tokens: list[_Token], *, end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._end = end
        self._restrictions = 0

    def expression(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise refused(f"brackets lie at most {DEEPEST} deep", position=self._position())
        parts = [self._factor(depth)]
        while (token := self._peek()) and token.text != ")":
            if self._is_word("AND"):
                self._at += 1
            parts.append(self._factor(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def check_end(self) -> None:
        if token := self._peek():
            raise refused(f"{token.text!r} closes nothing", position=token.position)

    def _factor(self, depth: int) -> Node:
        parts = [self._term(depth)]
        while self._is_word("OR"):
            self._at += 1
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _term(self, depth: int) -> Node:
        token = self._peek()
        if token and (token.kind == "minus" or self._is_word("NOT")):
            self._at += 1
            return Not(self._simple(depth))
        return self._simple(depth)

    def _simple(self, depth: int) -> Node:
        token = self._peek()
        if token and token.text == "(" and token.kind == "bracket":
            self._at += 1
            node = self.expression(depth + 1)
            self._close()
            return node
        return self._restriction()

    def _close(self) -> None:
        token = self._next("a closing bracket is missing")
        if token.text != ")" or token.kind != "bracket":
            raise refused("a closing bracket is missing", position=token.position)

    def _restriction(self) -> Restriction:
        field = self._next("a field is missing")
        if field.kind != "word" or field.text in ("AND", "OR", "NOT", "*"):
            raise refused(f"a field is expected, not {field.text!r}", position=field.position)
        comparator = self._next(f"what is {field.text!r} to be compared with")
        if comparator.kind != "comparator":
            raise refused("one of = != < <= > >= : is expected", position=comparator.position)
        value = self._next("a value is missing")
        if value.kind not in ("word", "text"):
            raise refused(f"a value is expected, not {value.text!r}", position=value.position)
        self._restrictions += 1
        if self._restrictions > MOST_RESTRICTIONS:
            raise refused(f"a filter has at most {MOST_RESTRICTIONS} comparisons", position=field.position)
        quoted = value.kind == "text"
        text = _unquoted(value.text) if quoted else value.text
        return Restriction(field.text, Comparator(comparator.text), text, quoted, field.position)

    def _is_word(self, word: str) -> bool:
        token = self._peek()
        return token is not None and token.kind == "word" and token.text == word

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _next(self, why: str) -> _Token:
        token = self._peek()
        if token is None:
            raise refused(why, position=self._end)
        self._at += 1
        return token

    def _position(self) -> int:
        token = self._peek()
        return token.position if token else self._end


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1])
