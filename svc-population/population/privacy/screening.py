"""Refuses what must not be kept, wherever it comes in: rows and columns of imports, forms, free text, rules. Pure.

An import calls `screen_columns` once and `screen_row` for every row and writes what comes back into its error file; everything that is
said through an rpc goes through `check_text` by construction (`privacy.guard`); rules go through `check_rule` before they are
kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from population.privacy.detector import BANK_CARD, EXCLUDE, HEALTH, ID_NUMBER, PHONE, Finding, in_column, in_text
from svckit.errors import InvalidArgument

NUMBER_FIELDS = frozenset({"id_number", "phone", "mobile", "id_no"})
"""Columns and fields that are made for numbers: what stands in them is not read as text."""
_NUMBERS = frozenset({ID_NUMBER, PHONE})
_SENTENCES = {
    ID_NUMBER: "Identity numbers belong in the field for them, not in a text.",
    PHONE: "Telephone numbers belong in the field for them, not in a text.",
    BANK_CARD: "Bank cards are not kept.",
    HEALTH: "Diagnoses belong in the care register, with consent, not in a text for everybody.",
}
_RESTRICTED = "This says about people what must not be kept (restricted category {code}): leave it out."


class Objection(msgspec.Struct, frozen=True):
    """Why a row or column is refused; `reason` is RESTRICTED_CONTENT, NUMBER_IN_TEXT or RESTRICTED_COLUMN. Never repeats the text."""

    field: str
    reason: str
    category: str
    message: str


def screen_columns(columns: Iterable[str]) -> list[Objection]:
    """Returns which columns of a file (or questions of a form) must not be taken at all."""
    return [
        Objection(column, "RESTRICTED_COLUMN", finding.category, _sentence(finding))
        for column in columns
        for finding in in_column(column)
    ]


def screen_row(row: Mapping[str, object], *, number_fields: Collection[str] = NUMBER_FIELDS) -> list[Objection]:
    """Returns why a row of an import must be rejected, [] for nearly every row.

    `row` maps our field names to values; those in `number_fields` are not read.
    """
    return [
        Objection(field, _reason(finding), finding.category, _sentence(finding))
        for field, value in row.items()
        if isinstance(value, str) and value and field not in number_fields
        for finding in in_text(value)
    ]


def check_text(text: str, *, field: str, sensitive: bool = False) -> None:
    """Raises InvalidArgument (RESTRICTED_CONTENT, NUMBER_IN_TEXT) naming `field`; its metadata names the category.

    `sensitive` fields are made for what is sensitive (marked L3 or above in the proto): they may say what is only restricted.
    """
    for finding in in_text(text):
        if finding.handling == EXCLUDE or not sensitive:
            raise InvalidArgument(
                _sentence(finding), reason=_reason(finding), field=field, metadata={"category": finding.category}
            )


def check_rule(texts: Mapping[str, str], *, fields: Iterable[str] = ()) -> None:
    """Raises InvalidArgument (EXCLUDED_RULE): no rule may match, watch for or act on what must not exist.

    `texts` are what a matching or life-event rule says, by its field: names of sources, lists, conditions, uses. `fields` are the
    columns it reads or gives back.
    """
    for place, text in texts.items():
        for finding in (*in_text(text), *in_column(text)):
            if finding.category not in _NUMBERS:
                raise _excluded(place, finding)
    for name in fields:
        for finding in in_column(name):
            raise _excluded(name, finding)


def _excluded(place: str, finding: Finding) -> InvalidArgument:
    return InvalidArgument(
        f"No rule may use this (restricted category {finding.category}).",
        reason="EXCLUDED_RULE",
        field=place,
        metadata={"category": finding.category},
    )


def _reason(finding: Finding) -> str:
    return "NUMBER_IN_TEXT" if finding.category in _NUMBERS else "RESTRICTED_CONTENT"


def _sentence(finding: Finding) -> str:
    return _SENTENCES.get(finding.category) or _RESTRICTED.format(code=finding.category)
