"""The verbs on areas, and the area found for a case."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from housing.domain import Area, AreaChanged, AreaDraft, CaseLocated, CaseLocation, Duty, Point, Polygon
from housing.geometry import center_of, surface_of
from housing.policies import (
    CITY_DIGITS,
    check_area_draft,
    check_area_in_use,
    check_mask,
    check_revision,
    grid_type_of,
    level_of,
    parent_of,
)
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument


def create_area(*, draft: AreaDraft, now: datetime) -> tuple[Area, tuple[AreaChanged, ...]]:
    """Makes an area of a draft. Raises InvalidArgument for a wrong code or surface."""
    check_area_draft(draft)
    area = Area(
        area_code=draft.area_code,
        level=level_of(draft.area_code),
        name=draft.name,
        parent_code=parent_of(draft.area_code),
        city=draft.area_code[:CITY_DIGITS],
        grid_type=grid_type_of(draft.area_code),
        grid_class=draft.grid_class,
        polygons=draft.polygons,
        center=_center(draft.polygons),
        roster=draft.roster,
        external_id=draft.external_id,
        created_at=now,
        changed_at=now,
    )
    return area, (area_changed(area, at=now),)


def replace_area(area: Area, *, draft: AreaDraft, now: datetime) -> tuple[Area, tuple[AreaChanged, ...]]:
    """Gives an area the content of a draft; nothing happens when it has that already. Raises FailedPrecondition."""
    check_area_in_use(area)
    return _amended(area, _content(draft), now)


def update_area(
    area: Area, *, fields: Collection[str], draft: AreaDraft, revision: int, now: datetime
) -> tuple[Area, tuple[AreaChanged, ...]]:
    """Takes the named fields from a draft. Raises InvalidArgument (mask, values), FailedPrecondition (revision, retired)."""
    check_area_in_use(area)
    check_revision(revision, area.revision)
    content = _content(draft)
    check_mask(fields, allowed=content)
    if "name" in fields and not draft.name:
        raise InvalidArgument("An area needs a name.", field="name")
    check_area_draft(draft)
    return _amended(area, {name: content[name] for name in fields}, now)


def retire_area(area: Area, *, has_children: bool, revision: int, now: datetime) -> tuple[Area, tuple[AreaChanged, ...]]:
    """Retires an area for good. Raises FailedPrecondition (HAS_CHILDREN, AREA_RETIRED, REVISION_CHANGED)."""
    check_area_in_use(area)
    check_revision(revision, area.revision)
    if has_children:
        raise FailedPrecondition("There are areas below this one.", reason="HAS_CHILDREN")
    retired = replace(area, retired_at=now, changed_at=now)
    return retired, (area_changed(retired, at=now),)


def area_exists(area_code: str) -> Conflict:
    """The error of creating an area twice."""
    return Conflict(f"The area {area_code} exists already.", reason="ALREADY_EXISTS", metadata={"area_code": area_code})


def _content(draft: AreaDraft) -> dict[str, Any]:
    return {
        "name": draft.name,
        "polygons": draft.polygons,
        "grid_class": draft.grid_class,
        "roster": draft.roster,
        "external_id": draft.external_id,
    }


def _amended(area: Area, content: dict[str, Any], now: datetime) -> tuple[Area, tuple[AreaChanged, ...]]:
    if all(getattr(area, name) == value for name, value in content.items()):
        return area, ()
    if "polygons" in content:
        content = content | {"center": _center(content["polygons"])}
    amended = replace(area, **content, changed_at=now)
    return amended, (area_changed(amended, at=now),)


def _center(polygons: tuple[Polygon, ...]) -> Point | None:
    return center_of(surface_of(polygons)) if polygons else None


def area_changed(area: Area, *, at: datetime) -> AreaChanged:
    """Returns what is told of an area: what it is and who is on duty there, since `at`."""
    return AreaChanged(
        area_code=area.area_code,
        level=area.level,
        name=area.name,
        parent_code=area.parent_code,
        city=area.city,
        grid_class=area.grid_class,
        retired=area.retired_at is not None,
        roster=tuple(Duty(role=entry.role, subject=entry.subject) for entry in area.roster),
        at=at,
    )


def locate_case(
    location: CaseLocation | None, *, case_id: str, city: str, point: Point, area_code: str, now: datetime
) -> tuple[CaseLocation, tuple[CaseLocated, ...]]:
    """Keeps the area that was found for a case. Told twice, it changes nothing."""
    if location is not None:
        return location, ()
    found = CaseLocation(case_id=case_id, city=city, point=point, area_code=area_code, located_at=now)
    return found, (CaseLocated(case_id=case_id, area_code=area_code, at=now),)
