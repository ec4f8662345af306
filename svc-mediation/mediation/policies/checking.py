"""The check on site: who may make it, and what it must show."""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt

from mediation.domain import Actor, Attachment, Case, Point, TaskState
from svckit.errors import InvalidArgument, PermissionDenied

# 004: 再通过E通拍照…检查结案 — the photograph after the work shows the place of the one before.
PHOTO_RADIUS_M = 50.0
_EARTH_RADIUS_M = 6_371_008.8


class HandledIt(PermissionDenied):
    """Whoever worked on a case may not check it."""

    default_reason = "VERIFIER_HANDLED_IT"


def check_verifier(case: Case, by: Actor) -> None:
    """Raises HandledIt when somebody who worked on the case wants to check or close it. An import repeats what others did.

    workflow.yaml, separation (001, 004): supervision and handling are separate.
    """
    if by.subject in case.handlers and "IMPORTER" not in by.roles:
        raise HandledIt("Whoever worked on a case may not check it.")


def can_verify(case: Case, by: Actor) -> bool:
    """Tells whether `check_verifier` would pass."""
    try:
        check_verifier(case, by)
    except HandledIt:
        return False
    return True


def check_photos(case: Case, photos: Sequence[Attachment], *, passed: bool, by: Actor) -> None:
    """Raises InvalidArgument unless the photographs prove that the verifier stood where the trouble was.

    Every located photograph lies within 50 m of one taken before or of the case's point; a passed check needs at least one
    such. Cases without any point are content with any photograph. An import repeats checks whose photographs are elsewhere.
    """
    places = _places(case)
    for index, photo in enumerate(photos):
        _check_photo(photo, index, places)
    if passed and "IMPORTER" not in by.roles and not any(photo.point or not places for photo in photos):
        raise InvalidArgument("A passed check needs a located photograph.", field="photos", reason="PHOTO_REQUIRED")


def _check_photo(photo: Attachment, index: int, places: list[Point]) -> None:
    if photo.point is None or not places:
        return
    distance = min(distance_m(photo.point, place) for place in places)
    if distance > PHOTO_RADIUS_M:
        message = f"This photograph was taken {distance:.0f} m away; at most {PHOTO_RADIUS_M:.0f} m are allowed."
        raise InvalidArgument(message, field=f"photos[{index}].point", reason="PHOTO_TOO_FAR")


def _places(case: Case) -> list[Point]:
    places = [photo.point for photo in case.photos if photo.point]
    return [*places, case.point] if case.point else places


def check_failed_tasks(case: Case, task_ids: Sequence[str], *, passed: bool) -> None:
    """Raises InvalidArgument unless a failed check names done tasks, and a passed one names none.

    A case the grid handled itself has no tasks to name.
    """
    if passed and task_ids:
        raise InvalidArgument("A passed check has no failed tasks.", field="failed_task_ids", reason="FAILED_TASKS")
    if not passed and not task_ids and case.self_handling is None:
        raise InvalidArgument("A failed check names the tasks that failed.", field="failed_task_ids", reason="FAILED_TASKS")
    done = {task.task_id for task in case.tasks if task.state is TaskState.DONE}
    for index, task_id in enumerate(task_ids):
        if task_id not in done:
            raise InvalidArgument(
                "No done task of the case has this id.", field=f"failed_task_ids[{index}]", reason="FAILED_TASKS"
            )


def distance_m(one: Point, other: Point) -> float:
    """Returns the great-circle distance in metres (haversine, mean earth radius)."""
    lat1, lat2 = radians(one.latitude), radians(other.latitude)
    half = sin((lat2 - lat1) / 2) ** 2
    half += cos(lat1) * cos(lat2) * sin(radians(other.longitude - one.longitude) / 2) ** 2
    return 2 * _EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))
