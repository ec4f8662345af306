"""Request files become requests: one mapping file names the columns; dirty rows are told, never dropped silently. No I/O beyond reading."""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

REQUIRED = ("id", "type", "owner", "status", "created")
"""Columns every mapping has to name."""


class MappingError(Exception):
    """The mapping file or the header of the request file cannot be used; the text says what to change."""


@dataclass(frozen=True)
class FileMapping:
    """A mapping file, read."""

    name: str
    city: Mapping[str, str]
    timezone: ZoneInfo
    time_format: str
    areas: Mapping[str, str]
    columns: Mapping[str, str]
    statuses: Mapping[str, str]
    categories: Mapping[str, str]
    departments: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class Request:
    """One usable row: times are aware UTC; `point` is (longitude, latitude) or None."""

    row: int
    external_id: str
    category: str
    department: str
    outcome: str
    source: str
    created: dt.datetime
    closed: dt.datetime | None
    point: tuple[float, float] | None
    community: str
    description: str
    address: str


@dataclass(frozen=True)
class Problem:
    """What is wrong with a row (1 is the first row after the header); `refused` rows become no case, the others do with a remark."""

    row: int
    kind: str
    text: str
    refused: bool


def load_mapping(path: Path) -> FileMapping:
    """Reads a mapping file. Raises MappingError naming the missing key."""
    try:
        document = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise MappingError(f"{path} is not YAML: {error}") from error
    try:
        fields = {name: document[name] for name in FileMapping.__dataclass_fields__}
    except (KeyError, TypeError) as missing:
        raise MappingError(f"{path}: key {missing} is missing") from missing
    absent = [name for name in REQUIRED if name not in fields["columns"]]
    if absent:
        raise MappingError(f"{path}: columns does not name {', '.join(absent)}")
    return FileMapping(**fields | {"timezone": ZoneInfo(fields["timezone"])})


def mapping_for(header: set[str], folder: Path) -> Path:
    """The shipped mapping whose columns the header has. Raises MappingError when none fits."""
    for path in sorted(folder.glob("*.yaml")):
        if set(load_mapping(path).columns.values()) <= header:
            return path
    raise MappingError(f"no mapping in {folder} fits these columns; write one like it: make replay FILE=… MAPPING=…")


def read_rows(path: Path, mapping: FileMapping) -> Iterator[Request | Problem]:
    """Yields, for every row, its problems and, unless one refuses it, the request."""
    seen: set[str] = set()
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        reader = csv.DictReader(file)
        missing = set(mapping.columns.values()) - set(reader.fieldnames or ())
        if missing:
            raise MappingError(f"{path} has no column {', '.join(sorted(missing))}")
        for number, fields in enumerate(reader, start=1):
            yield from _read(
                number, {name: (fields.get(column) or "").strip() for name, column in mapping.columns.items()}, mapping, seen
            )


def _read(row: int, cells: dict[str, str], mapping: FileMapping, seen: set[str]) -> Iterator[Request | Problem]:
    problems = list(_problems(row, cells, mapping, seen))
    yield from problems
    if any(problem.refused for problem in problems):
        return
    seen.add(cells["id"])
    created = _time(cells["created"], mapping)
    assert created is not None
    yield Request(
        row=row,
        external_id=cells["id"],
        category=mapping.categories[cells["type"]],
        department=mapping.departments[cells["owner"]],
        outcome=_outcome(cells, mapping),
        source=mapping.sources.get(cells.get("source", ""), "10"),
        created=created,
        closed=_time(cells.get("closed", ""), mapping),
        point=_point(cells),
        community=cells.get("community", ""),
        description=cells["type"],
        address=cells.get("address", "")[:200],
    )


def _outcome(cells: dict[str, str], mapping: FileMapping) -> str:
    outcome = mapping.statuses[cells["status"]]
    return "open" if outcome == "closed" and _time(cells.get("closed", ""), mapping) is None else outcome


def _problems(row: int, cells: dict[str, Any], mapping: FileMapping, seen: set[str]) -> Iterator[Problem]:
    """Rules of a usable row, each with the row number and the cell."""
    created, closed = _time(cells["created"], mapping), _time(cells.get("closed", ""), mapping)
    if not cells["id"]:
        yield Problem(row, "no id", "the id is empty", refused=True)
    elif cells["id"] in seen:
        yield Problem(row, "repeated id", f"id {cells['id']} stands in an earlier row", refused=True)
    if created is None:
        yield Problem(row, "bad created time", f"created is {cells['created']!r}", refused=True)
    for name, table in (("type", mapping.categories), ("owner", mapping.departments), ("status", mapping.statuses)):
        if cells[name] not in table:
            yield Problem(row, f"unknown {name}", f"{name} {cells[name]!r} is not in the mapping", refused=True)
    if mapping.statuses.get(cells["status"]) == "closed" and closed is None:
        yield Problem(row, "closed without a time", f"closed is {cells.get('closed')!r}; the case stays open", refused=False)
    if created and closed and closed < created:
        yield Problem(
            row, "closed before created", f"closed {cells['closed']} is before created {cells['created']}", refused=True
        )
    if cells.get("source") and cells["source"] not in mapping.sources:
        yield Problem(row, "unknown source", f"source {cells['source']!r} is taken as a department's push", refused=False)
    if _point(cells) is None:
        yield Problem(row, "no position", "the case is placed by its neighbourhood, or the district", refused=False)


def _time(text: str, mapping: FileMapping) -> dt.datetime | None:
    try:
        local = dt.datetime.strptime(text, mapping.time_format)
    except ValueError:
        return None
    return local.replace(tzinfo=mapping.timezone).astimezone(dt.UTC)


def _point(cells: dict[str, Any]) -> tuple[float, float] | None:
    try:
        longitude, latitude = float(cells.get("longitude", "")), float(cells.get("latitude", ""))
    except ValueError:
        return None
    usable = -180 <= longitude <= 180 and -90 <= latitude <= 90 and (longitude, latitude) != (0.0, 0.0)
    return (longitude, latitude) if usable else None
