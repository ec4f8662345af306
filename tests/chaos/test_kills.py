"""`kill -9` of every kind of process while cases run: every acknowledged case ends, no task is done twice, no event is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from deploy.local.layout import Layout
from tests.suite import run_program, wait_until_whole

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

VICTIMS = ("mediation-api", "mongod", "fire-safety-worker", "rabbitmq", "mediation-worker", "gateway", "assessment-worker")


@pytest.fixture
def suite_to_harm(suite: Layout) -> Iterator[Layout]:
    """The suite, given back whole."""
    yield suite
    wait_until_whole(suite)


def test_everything_holds_whatever_is_killed(suite_to_harm: Layout) -> None:
    # At half the usual pace cases are under way for as long as the killing takes.
    options = ("--cases", "6", "--grids", "1", "--speed", "600", "--chaos", "--victims", ",".join(VICTIMS))
    done = run_program(suite_to_harm, "deploy.demo", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✓ every invariant holds" in done.stdout
    assert tuple(re.findall(r"kill -9 (\S+)", done.stdout)) == VICTIMS
