"""The journal of a replay: what was finished stays finished, with the remark it was taken with, whatever broke off."""

from contextlib import closing

import pytest

from deploy.replay.play import Journal
from deploy.replay.rows import Problem

REMARK = Problem(7, "position in no area", "it lies in the sea", refused=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def add(path, *entries):
    with closing(Journal.open(path)) as journal:
        for external_id, remark in entries:
            journal.add(external_id, remark)


def known(path, **options):
    with closing(Journal.open(path, **options)) as journal:
        return journal.done


def test_finished_rows_are_known_again_with_their_remarks(path):
    add(path, ("1-1", None), ("1-7", REMARK))
    assert known(path) == {"1-1": None, "1-7": REMARK}


def test_a_line_that_broke_off_costs_one_row_and_no_other(path):
    add(path, ("1-1", None))
    with path.open("a") as file:
        file.write('{"id": "1-2", "rem')
    add(path, ("1-3", None))
    assert set(known(path)) == {"1-1", "1-3"}


def test_a_fresh_replay_forgets(path):
    add(path, ("1-1", None))
    assert known(path, fresh=True) == {}
