"""Which column is which field: a mapping file in JSON or YAML.

    columns:
      姓名: name
      证件号码: id_number
      性别: {field: sex, values: {男: "1", 女: "2"}}
      出生日期: {field: birth_date, format: "%Y/%m/%d"}
    constants: {area_code: "420502001003", id_doc_type: "111", resident_type: "01"}

The files of our own forms need no more than `form: resident` (`population.imports.forms`), with constants and columns of one's own beside
it if there are any. Columns that are not named are never read. A mapping that asks for what must not be collected is refused before a row
is read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping

import msgspec
import yaml

from population.imports.forms import FORMS, SEPARATOR, columns_of
from population.imports.reading import ROUNDED
from population.privacy.screening import screen_columns
from svckit.errors import InvalidArgument


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a column: the field, its values by code, and the form of days (strptime)."""

    field: str
    values: dict[str, str] = {}
    format: str = ""


class Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping as it is written; with a `form`, `columns` come beside or instead of those of the form."""

    columns: dict[str, str | Target] = {}
    constants: dict[str, str] = {}
    form: str = ""
    separator: str = SEPARATOR
    key: str = ""


class RowError(Exception):
    """A row cannot be taken; `message` holds none of its values."""

    def __init__(self, *, field: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.reason = reason
        self.message = message


class FieldMapping:
    """A mapping that was checked."""

    def __init__(self, columns: Mapping[str, Target], constants: Mapping[str, str]) -> None:
        self.columns = dict(columns)
        self.constants = dict(constants)
        self.readers = [(name, target.field, _reader(target)) for name, target in columns.items()]

    @property
    def fields(self) -> frozenset[str]:
        """The fields it fills."""
        return frozenset(target.field for target in self.columns.values()) | self.constants.keys()

    def values(self, row: Mapping[str, str]) -> dict[str, str]:
        """Returns the fields of a row. Raises RowError (VALUE_UNKNOWN, DATE_INVALID, NUMBER_ROUNDED)."""
        found = dict(self.constants)
        for name, field, read in self.readers:
            if text := row[name]:
                if text == ROUNDED:
                    message = "The spreadsheet has rounded this number; format the column as text and enter it again."
                    raise RowError(field=field, reason="NUMBER_ROUNDED", message=message)
                found[field] = read(text) if read else text
        return found


def read_mapping(text: str, *, allowed: Collection[str], path: str) -> FieldMapping:
    """Reads a mapping. Raises InvalidArgument (MAPPING_INVALID, FIELD_UNKNOWN, FIELD_TWICE, FIELD_EXCLUDED), naming `path`."""
    written = _parsed(text, path)
    named = {**_columns_of(written, path), **written.columns}
    targets = {name: target if isinstance(target, Target) else Target(target) for name, target in named.items()}
    for objection in screen_columns(targets):
        raise InvalidArgument(
            f"{objection.field!r}: {objection.message}",
            reason="FIELD_EXCLUDED",
            field=path,
            metadata={"category": objection.category},
        )
    fields = [target.field for target in targets.values()] + list(written.constants)
    for field in fields:
        if field not in allowed:
            raise InvalidArgument(
                f"{field!r} is no field; there are {', '.join(sorted(allowed))}.", reason="FIELD_UNKNOWN", field=path
            )
        if fields.count(field) > 1:
            raise InvalidArgument(f"{field!r} is filled twice.", reason="FIELD_TWICE", field=path)
    return FieldMapping(targets, written.constants)


def _parsed(text: str, path: str) -> Written:
    try:
        # YAML holds all of JSON, too.
        written = msgspec.convert(yaml.safe_load(text), Written)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        place = str(error).splitlines()[0]
        raise InvalidArgument(f"The mapping cannot be read: {place}.", reason="MAPPING_INVALID", field=path) from error
    if not written.columns and not written.form:
        raise InvalidArgument("The mapping names neither columns nor a form.", reason="MAPPING_INVALID", field=path)
    return written


def _columns_of(written: Written, path: str) -> dict[str, str]:
    """The columns of the form that is named, without fields the mapping fills itself. Raises InvalidArgument (FORM_UNKNOWN)."""
    if not written.form:
        return {}
    if written.form not in FORMS:
        raise InvalidArgument(f"There are the forms {', '.join(FORMS)}.", reason="FORM_UNKNOWN", field=path)
    own = {
        target.field if isinstance(target, Target) else target for target in written.columns.values()
    } | written.constants.keys()
    columns = columns_of(written.form, separator=written.separator, key=written.key)
    return {column: field for column, field in columns.items() if field not in own}


def _reader(target: Target) -> Callable[[str], str] | None:
    if target.values:
        return lambda text: _coded(text, target)
    if target.format:
        return lambda text: _day(text, target)
    return None


def _coded(text: str, target: Target) -> str:
    try:
        return target.values[text]
    except KeyError:
        message = f"The value is none of {', '.join(target.values)}."
        raise RowError(field=target.field, reason="VALUE_UNKNOWN", message=message) from None


def _day(text: str, target: Target) -> str:
    try:
        return dt.datetime.strptime(text, target.format).date().isoformat()
    except ValueError:
        message = f"The day is not written as {target.format}."
        raise RowError(field=target.field, reason="DATE_INVALID", message=message) from None
