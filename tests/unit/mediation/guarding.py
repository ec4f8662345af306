"""What a row of the guards looks like: a call that is refused, with the reason, the words and the field of the refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from svckit.errors import ServiceError


@dataclass(frozen=True)
class Guard:
    """One refusal: `name` says in words what is wrong, `call` does it."""

    name: str
    reason: str
    text: str
    call: Callable[[], object]
    field: str = ""


@dataclass(frozen=True)
class Refused:
    """How a call was refused, and the line that did it."""

    reason: str
    text: str
    field: str
    file: Path
    line: int


def refusal_of(call: Callable[[], object]) -> Refused:
    """Expects that a call is refused, and tells how and where."""
    with pytest.raises(ServiceError) as caught:
        call()
    error = caught.value
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    assert place is not None
    return Refused(error.reason, str(error), error.field, Path(place.tb_frame.f_code.co_filename), place.tb_lineno)
