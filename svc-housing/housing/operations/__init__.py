"""The verbs of housing. Pure: what is, who acts and when come in; what will be and the facts it leaves go out."""

from housing.operations.areas import area_changed, area_exists, create_area, locate_case, replace_area, retire_area, update_area
from housing.operations.checks import cancel_check, complete_check, open_check, relocate_check, return_check
from housing.operations.houses import (
    building_changed,
    create_building,
    create_house,
    house_changed,
    note_check,
    update_building,
    update_house,
)

__all__ = [
    "area_changed",
    "area_exists",
    "building_changed",
    "cancel_check",
    "complete_check",
    "create_area",
    "create_building",
    "create_house",
    "house_changed",
    "locate_case",
    "note_check",
    "open_check",
    "relocate_check",
    "replace_area",
    "retire_area",
    "return_check",
    "update_area",
    "update_building",
    "update_house",
]
