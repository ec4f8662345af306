"""Finds the rpc of a request: `google.api.http` templates compiled into a tree that is walked segment by segment.

Template = "/" segments [":" verb]; a segment is a literal, "*" (one segment), "**" (all that follow, last only) or a variable
`{field.path=segments}`. Literals win over "*", "*" over "**", and an rpc with a verb over one that would take the verb as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")

_VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^{}]+))?\}")


@dataclass(frozen=True, slots=True)
class Variable:
    """Field path and the slice of segments it captures; `end` None captures to the end of the path."""

    path: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template: its segments (with "*" and "**"), its verb and its variables."""

    segments: tuple[str, ...]
    verb: str
    variables: tuple[Variable, ...]


def parse(text: str) -> Template:
    """Parses a template. Raises ValueError saying what is wrong with it."""
    if not text.startswith("/"):
        raise ValueError(f"template {text!r} does not start with a slash")
    path, verb = _split_verb(text[1:])
    segments: list[str] = []
    variables: list[Variable] = []
    for part in _parts(path):
        match = _VARIABLE.fullmatch(part)
        inner = (match[2] or "*").split("/") if match else [part]
        if match:
            end = None if inner[-1] == "**" else len(segments) + len(inner)
            variables.append(Variable(match[1], len(segments), end))
        segments += inner
    _check(text, path, segments)
    return Template(tuple(segments), verb, tuple(variables))


def _split_verb(path: str) -> tuple[str, str]:
    head, colon, verb = path.rpartition(":")
    return (head, verb) if colon and "/" not in verb and "}" not in verb else (path, "")


def _parts(path: str) -> list[str]:
    """Splits at slashes outside braces."""
    return re.findall(r"(?:\{[^{}]*\}|[^/{}])+", path)


def _check(text: str, path: str, segments: Sequence[str]) -> None:
    if not segments or "**" in segments[:-1]:
        raise ValueError(f"template {text!r} is empty or has ** before its end")
    if "/".join(_parts(path)) != path or any("{" in part for part in segments):
        raise ValueError(f"template {text!r} has braces or slashes that do not fit")


@dataclass(slots=True)
class _End(Generic[T]):
    """What may stand at a node of the tree: the targets by HTTP method, each with its variables."""

    targets: dict[str, tuple[T, tuple[Variable, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = field(default_factory=dict)
    star: _Node[T] | None = None
    rest: dict[str, _End[T]] = field(default_factory=dict)
    ends: dict[str, _End[T]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """Target of a request and the values of its path variables by field path."""

    target: T
    variables: Mapping[str, str]


class UnknownPath(LookupError):
    """No route has this path."""


class WrongMethod(LookupError):
    """Routes have this path, but for other methods."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = tuple(allowed)


class Router(Generic[T]):
    """Routes by path; `find` walks at most one node per segment and alternative."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._verbs: set[str] = set()

    def add(self, method: str, template: str, target: T) -> None:
        """Adds a route. Raises ValueError when the template is wrong or taken."""
        parsed = parse(template)
        end = self._end(parsed)
        if method in end.targets:
            raise ValueError(f"{method} {template} is declared twice")
        end.targets[method] = (target, parsed.variables)
        if parsed.verb:
            self._verbs.add(parsed.verb)

    def _end(self, template: Template) -> _End[T]:
        node = self._root
        for segment in template.segments:
            if segment == "**":
                return node.rest.setdefault(template.verb, _End())
            if segment == "*":
                node.star = node.star or _Node()
                node = node.star
            else:
                node = node.literals.setdefault(segment, _Node())
        return node.ends.setdefault(template.verb, _End())

    def find(self, method: str, path: str) -> Match[T]:
        """Returns target and variables of a raw (still percent-encoded) path. Raises UnknownPath or WrongMethod."""
        segments = path.split("/")
        del segments[0]
        end = self._match(segments)
        found = end.targets.get(method)
        if found is None:
            raise WrongMethod(sorted(end.targets))
        target, variables = found
        return Match(target, {variable.path: _capture(segments, variable) for variable in variables})

    def _match(self, segments: list[str]) -> _End[T]:
        """Finds the end of the path; strips the verb from the last segment when it belongs to the route."""
        last = segments[-1]
        text, colon, verb = last.rpartition(":")
        if colon and verb in self._verbs:
            segments[-1] = text
            found = _walk(self._root, segments, 0, verb)
            if found:
                return found
            segments[-1] = last
        found = _walk(self._root, segments, 0, "")
        if found is None:
            raise UnknownPath("/".join(segments))
        return found


def _walk(node: _Node[T], segments: list[str], index: int, verb: str) -> _End[T] | None:
    if index == len(segments):
        return node.ends.get(verb)
    segment = segments[index]
    below = node.literals.get(segment)
    found = _walk(below, segments, index + 1, verb) if below else None
    if found is None and node.star and segment:
        found = _walk(node.star, segments, index + 1, verb)
    if found is None and node.rest and segment:
        found = node.rest.get(verb)
    return found


def _capture(segments: Sequence[str], variable: Variable) -> str:
    """A single segment is decoded fully; of several, encoded slashes stay encoded, or they would become separators."""
    parts = segments[variable.start : variable.end]
    if len(parts) == 1:
        return unquote(parts[0], errors="strict") if "%" in parts[0] else parts[0]
    return "/".join(_decode_keeping_slashes(part) for part in parts)


def _decode_keeping_slashes(segment: str) -> str:
    pieces = re.split("(%2[Ff])", segment)
    return "".join(piece if piece.upper() == "%2F" else unquote(piece, errors="strict") for piece in pieces)
