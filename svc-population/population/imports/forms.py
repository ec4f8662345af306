"""The collection forms as they come back: which column of an export of an ODK server is which field of an import.

A mapping that says `form: resident` (`household`, `household_members`) has these columns, as ODK Central names them: questions in groups
with the group before them, the submission's own key as the number of the row. For servers that name them otherwise (KoBoToolbox:
`separator: "/"`, `key: _uuid`) the mapping says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from binglian.population.v1 import resident_service_pb2 as pb

from population.exports.xlsform import CONTEXT, MEMBER, asked

KEY, PARENT_KEY = "KEY", "PARENT_KEY"
"""Where ODK Central writes the key of a submission, and in the file of a repeat group the key of the submission it is part of."""
SEPARATOR = "-"
"""What ODK Central writes between a group and its question."""
REFERENCE, HOUSEHOLD = "reference", "household"
"""Fields of an import: the number a row, or the household of a row, has in the file itself."""
RESIDENCE = {"house_id": "house_id", "house_area_code": "area_code", "tenure": "tenure", "since": "since"}
"""Field of a mapping → field of the residence the person begins with."""
REGISTERED = {f"registered_{name}": name for name in ("house_id", "area_code", "tenure", "since")}
"""Field of a mapping → field of the place where the household register has the person."""
_PLACES = {"residence": RESIDENCE, "registered": REGISTERED}
Columns = Iterator[tuple[str, str]]


def columns_of(form: str, *, separator: str, key: str) -> dict[str, str]:
    """Returns field by column, for a form that is there (`FORMS`); `key` is "" for what ODK Central calls it."""
    columns, default, field = FORMS[form]
    return {key or default: field, **dict(columns(separator))}


def _resident(separator: str) -> Columns:
    for question in asked(pb.ResidentDraft.DESCRIPTOR):
        if question.message_type is None:
            yield question.name, question.name
            continue
        fields = {inner: field for field, inner in _PLACES[question.name].items()}
        for inner in asked(question.message_type):
            if inner.name not in CONTEXT:
                yield f"{question.name}{separator}{inner.name}", fields[inner.name]


def _household(separator: str) -> Columns:
    for question in asked(pb.HouseholdDraft.DESCRIPTOR):
        yield question.name, question.name


def _members(separator: str) -> Columns:
    # ODK Central names columns of a repeat group from the group on, others from the form on.
    before = "" if separator == SEPARATOR else f"members{separator}"
    for name in MEMBER:
        yield f"{before}{name}", name


FORMS: Mapping[str, tuple[Callable[[str], Columns], str, str]] = {
    "resident": (_resident, KEY, REFERENCE),
    "household": (_household, KEY, HOUSEHOLD),
    "household_members": (_members, PARENT_KEY, HOUSEHOLD),
}
"""Form → its columns, the column of its key, and the field that is."""
