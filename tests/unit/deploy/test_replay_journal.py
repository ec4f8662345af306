"""The journal of a replay: what was finished stays finished, with the remark it was taken with, whatever broke off."""

import pytest

from deploy.replay.play import Journal
from deploy.replay.rows import Problem

REMARK = Problem(7, "position in no area", "it lies in the sea", refused=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def test_finished_rows_are_known_again_with_their_remarks(path):
    journal = Journal.open(path)
    journal.add("1-1", None)
    journal.add("1-7", REMARK)
    assert Journal.open(path).done == {"1-1": None, "1-7": REMARK}


def test_a_line_that_broke_off_costs_one_row_and_no_other(path):
    Journal.open(path).add("1-1", None)
    with path.open("a") as file:
        file.write('{"id": "1-2", "rem')
    Journal.open(path).add("1-3", None)
    assert set(Journal.open(path).done) == {"1-1", "1-3"}


def test_a_fresh_replay_forgets(path):
    Journal.open(path).add("1-1", None)
    assert Journal.open(path, fresh=True).done == {}
