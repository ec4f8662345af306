"""Who is told of what a mediation has to do."""

from __future__ import annotations

import pytest

from mediation.domain.dispute import ReminderKind
from mediation.telling import tell

from .builders import START

MEDIATORS = {"GRID_MEDIATOR", "GRID_SUPERVISOR"}


@pytest.mark.parametrize("kind", sorted(set(ReminderKind) - {ReminderKind.UNSPECIFIED}))
def test_every_reminder_reaches_the_mediators(kind: str) -> None:
    (told,) = tell("mediation.mediation_reminder_due.v1", {"kind": kind, "due_at": START}, {})
    assert told.post
    assert (told.kind, set(told.post.roles), told.due_at) == ("mediation", MEDIATORS, START)
    assert told.reason


def test_the_light_of_a_mediation_says_which() -> None:
    texts = [tell("mediation.mediation_light_turned.v1", {"light": light, "due_at": START}, {}) for light in ("yellow", "red")]
    assert [each[0].reason for each in texts] == ["调解期限已过70%", "调解期限已届满"]


def test_the_police_is_told_at_once_and_nothing_else() -> None:
    (told,) = tell("mediation.police_informed.v1", {"ground": "violence"}, {})
    assert told.post
    assert (told.post.department, told.reason) == ("PSB", "调解中已报警，请立即处置")
