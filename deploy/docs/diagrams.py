"""State diagrams in the READMEs, drawn from the workflow tables.

A README asks for one with `<!-- states: package.module:TABLE -->`; what stands between that line and `<!-- /states -->` is ours. A table is
either a sequence of rows with `verb`, `source`, `target` (source None: it does not exist yet), or verb → (source states, target).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_BLOCK = re.compile(r"<!-- states: (?P<module>[\w.]+):(?P<table>\w+) -->\n.*?<!-- /states -->", re.DOTALL)


def redraw(text: str) -> str:
    """Returns the Markdown text with every diagram drawn anew."""
    return _BLOCK.sub(_replacement, text)


def _replacement(match: re.Match[str]) -> str:
    table = getattr(importlib.import_module(match["module"]), match["table"])
    return f"<!-- states: {match['module']}:{match['table']} -->\n{draw(table)}\n<!-- /states -->"


def draw(table: Any) -> str:
    """A Mermaid state diagram; verbs that share both ends share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for verb, source, target in _rows(table):
        verbs = arrows.setdefault((source, target), [])
        if verb not in verbs:
            verbs.append(verb)
    lines = [f"    {source} --> {target}: {', '.join(verbs)}" for (source, target), verbs in arrows.items()]
    return "\n".join(("```mermaid", "stateDiagram-v2", *lines, "```"))


def _rows(table: Any) -> Iterator[tuple[str, str, str]]:
    if isinstance(table, Mapping):
        for verb, (sources, target) in table.items():
            yield from ((verb, source, _name(target)) for source in sorted(_name(state) for state in sources))
        return
    for row in table:
        sources = row.source if _is_many(row.source) else (row.source,)
        yield from ((row.verb, _name(source), _name(row.target)) for source in sources)


def _is_many(source: Any) -> bool:
    return isinstance(source, Iterable) and not isinstance(source, str)


def _name(state: Any) -> str:
    return "[*]" if state is None else str(getattr(state, "value", state))
