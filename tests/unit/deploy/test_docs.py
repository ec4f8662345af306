"""Generated documents."""

import enum

import pytest

from deploy.docs import diagrams, events


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("mediation.case_closed.v1", "mediation.case_closed.v1", True),
        ("mediation.#", "mediation.case_closed.v1", True),
        ("#", "mediation.case_closed.v1", True),
        ("*.case_closed.v1", "mediation.case_closed.v1", True),
        ("mediation.*", "mediation.case_closed.v1", False),
        ("mediation.case_closed.v1.#", "mediation.case_closed.v1", True),
        ("housing.#", "mediation.case_closed.v1", False),
    ],
)
def test_patterns_match_as_the_broker_does(pattern: str, key: str, expected: bool) -> None:
    assert events.matches(pattern, key) is expected


def test_every_event_of_every_service_is_listed() -> None:
    text = events.render()
    assert "`mediation.case_dispatched.v1`" in text
    assert "## svc-fire-safety" in text


class Light(enum.StrEnum):
    GREEN = "green"
    RED = "red"


def test_a_diagram_is_drawn_between_its_marks() -> None:

    text = "before\n<!-- states: mediation.domain.workflow:CASE_TRANSITIONS -->\nold\n<!-- /states -->\nafter\n"
    drawn = diagrams.redraw(text)
    assert "old" not in drawn
    assert "stateDiagram-v2" in drawn
    assert drawn.startswith("before\n")
    assert drawn.endswith("after\n")
    assert diagrams.redraw(drawn) == drawn


def test_both_forms_of_table_are_drawn() -> None:
    assert "green --> red: stop" in diagrams.draw({"stop": (frozenset({Light.GREEN}), Light.RED)})
