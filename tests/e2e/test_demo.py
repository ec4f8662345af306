"""`make demo`: every story is played to its end and the report says how."""

import pytest

from deploy.demo.stories import STORIES
from tests.suite import Demo

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_it_ends_well_and_every_invariant_holds(demo: Demo) -> None:
    assert demo.code == 0, demo.output
    assert "✓ every invariant holds" in demo.output
    assert "✗" not in demo.output


def test_every_case_is_reported_with_its_path_and_what_it_would_have_taken(demo: Demo) -> None:
    for story in STORIES:
        assert story.title.split()[0] in demo.output
    assert demo.output.count("critical path: dispatch") == len(STORIES)
    assert demo.output.count("times faster in parallel") == len(STORIES)
    assert len(demo.traces) == len(STORIES)
