"""The history of a case is a chain: whoever changes a byte of it, or takes an entry away, is found out."""

from __future__ import annotations

import io
import random
from datetime import timedelta
from typing import Any

import bson
import pytest
from bson.codec_options import CodecOptions
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mediation import history, operations, verifying
from mediation.domain import Attachment, Case, EntryKind, Step, Visibility
from svckit.documents import Form, stored

from .builders import (
    CHECKER,
    DISPATCHER,
    START,
    accepted,
    after_start,
    dispatched,
    done,
    photo,
    refused,
    task_of,
    verified,
    when,
)
from .builders import department as someone

FORM = Form(Case, id_field="case_id")
AWARE = CodecOptions[dict[str, Any]](tz_aware=True)


def lived() -> Case:
    """A case with objection, notes, minutes, results, rework and check."""
    case = dispatched("PMC", "FIRE", "UMD", photos=(photo(),))
    task_id = task_of(case, "UMD").task_id
    case = operations.object_task(case, task_id=task_id, reason="非职责", by=someone("UMD"), **when())[0]
    case = operations.rule_objection(
        case, task_id=task_id, upheld=False, reason="属职责", by=DISPATCHER, new_id=lambda: "", **when(minutes=1)
    )[0]
    case = accepted(case, "FIRE", after_start(minutes=2))
    fire = task_of(case, "FIRE").task_id
    proof = (Attachment(uri="oss://x", taken_at=START),)
    case = operations.report_progress(
        case, task_id=fire, text="到场", attachments=proof, by=someone("FIRE"), **when(minutes=3)
    )[0]
    case = operations.add_entry(
        case,
        entry_id="e1",
        kind=EntryKind.MINUTES,
        text="三方到场",
        visibility=Visibility.DEPARTMENTS,
        attachments=proof,
        by=someone("FIRE"),
        **when(minutes=4),
    )[0]
    case = done(case, "PMC", "FIRE", "UMD", at=after_start(hours=1))
    case = operations.verify_case(case, passed=False, text="未清", failed_task_ids=[fire], by=CHECKER, **when(hours=2))[0]
    return verified(done(case, "FIRE", at=after_start(hours=3)), after_start(hours=4))


def document(case: Case) -> dict[str, Any]:
    """The case as the database holds it."""
    return {**FORM.changed(None, case), "_id": case.case_id}


def bytes_of(case: Case) -> bytes:
    full = document(case)
    return bson.encode({"steps": full["steps"], "history": full["history"]})


LIVED = lived()
WHOLE = bytes_of(LIVED)


def check(full: dict[str, Any]) -> history.Flaw | None:
    return history.flaw_of(full, full["steps"])


def test_an_untouched_history_is_whole() -> None:
    full = document(LIVED)
    assert check(full) is None
    assert full["history"]["count"] == len(full["steps"]) > 10
    assert {step["origin"] for step in full["steps"]} >= {"FIRE", "420502", "420502001"}
    back = bson.decode(bson.encode(full), codec_options=AWARE)
    assert check(back) is None


@settings(max_examples=1500, deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255))
def test_any_altered_byte_is_found(place: int, flip: int) -> None:
    altered = WHOLE[:place] + bytes([WHOLE[place] ^ flip]) + WHOLE[place + 1 :]
    try:
        read = bson.decode(altered, codec_options=AWARE)
    except Exception:
        return  # nobody can read it any more
    if read == bson.decode(WHOLE, codec_options=AWARE):
        return  # a byte that says nothing: the name of a place in a list
    steps, chain = read.get("steps"), read.get("history")
    found = not isinstance(steps, list) or not isinstance(chain, dict) or not all(isinstance(step, dict) for step in steps)
    assert found or history.verify(LIVED.case_id, steps, chain) is not None


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_removed_added_moved_and_rewritten_entries_are_named(data: st.DataObject) -> None:
    full = document(LIVED)
    steps = full["steps"]
    place = data.draw(st.integers(0, len(steps) - 1))
    how = data.draw(st.sampled_from(["remove", "repeat", "swap", "rewrite", "forge"]))
    other = data.draw(st.integers(0, len(steps) - 1).filter(lambda n: n != place))
    changed = [dict(step) for step in steps]
    if how == "remove":
        del changed[place]
    elif how == "repeat":
        changed.insert(place, changed[place])
    elif how == "swap":
        changed[place], changed[other] = changed[other], changed[place]
    elif how == "rewrite":
        changed[place]["remark"] = changed[place].get("remark", "") + "。"
    else:
        # Its own digest fits again; that of the next entry, or of the end, does not.
        changed[place]["by"] = "somebody else"
        previous = changed[place - 1]["digest"] if place else LIVED.case_id
        changed[place]["digest"] = history.seal(previous, history._step({**changed[place], "digest": "x"}))
    flaw = history.verify(LIVED.case_id, changed, full["history"])
    assert flaw is not None
    first = min(place, other) if how == "swap" else place
    assert flaw.entry in (first, first + 1, len(changed) - 1), (how, flaw)
    assert flaw.why


def test_the_broken_entry_is_named() -> None:
    full = document(LIVED)
    full["steps"][4]["remark"] = "另一个理由"
    flaw = check(full)
    assert flaw is not None
    assert (flaw.entry, "altered" in flaw.why) == (4, True)
    full = document(LIVED)
    full["steps"] = full["steps"][:-1]
    flaw = check(full)
    assert flaw is not None
    assert "missing at the end" in flaw.why


@pytest.mark.parametrize(
    "alter",
    [
        lambda full: full["tasks"][1].update(result="从未处置"),
        lambda full: full["tasks"][1]["progress"][0].update(text="没到场"),
        lambda full: full["tasks"][1]["progress"][0]["attachments"][0].update(uri="oss://y"),
        lambda full: full["tasks"][1]["progress"].clear(),
        lambda full: full["tasks"][1]["progress"].append(full["tasks"][1]["progress"][0]),
        lambda full: full["workspace"][0].update(text="无人到场"),
        lambda full: full["workspace"][0].update(visibility="coordinators"),
        lambda full: full["workspace"][0].update(by="somebody else"),
        lambda full: full["workspace"][0]["attachments"][0].update(uri="oss://y"),
        lambda full: full["workspace"].clear(),
        lambda full: full["workspace"].append({**full["workspace"][0], "entry_id": "e2"}),
        lambda full: full.update(steps=[], history={}),
        lambda full: full.update(unified_reply="另一个答复"),
        lambda full: full.update(description="别的事"),
        lambda full: full["verification"].update(text="很好"),
        lambda full: full.update(state="closed"),
    ],
)
def test_words_that_lie_beside_the_history_are_held_by_it(alter: Any) -> None:
    full = bson.decode(bson.encode(document(LIVED)), codec_options=AWARE)
    alter(full)
    assert check(full) is not None


def test_entries_hold_nothing_else() -> None:
    full = document(LIVED)
    for entry, why in (({"at": "today"}, "something else|none"), ({"extra": "x"}, "never had"), ({"by": 7}, "something else")):
        steps = [dict(step) for step in full["steps"]]
        steps[2].update(entry)
        flaw = history.verify(LIVED.case_id, steps, full["history"])
        assert flaw is not None
        assert flaw.entry == 2
        assert any(part in flaw.why for part in why.split("|"))


def noted(case: Case, times: int, *, seed: int = 0) -> Case:
    """The case after a task was completed and sent back again and again."""
    task_id = task_of(case, "PMC").task_id
    for n in range(times):
        at = after_start(hours=1, seconds=n + seed)
        case = operations.complete_task(
            case, task_id=task_id, result=str(n), evidence=(photo(),), by=someone("PMC"), at=at, now=at
        )[0]
        case = operations.return_task(case, task_id=task_id, reason="再来", by=DISPATCHER, at=at, now=at)[0]
    return case


class TestArchiving:
    def test_a_short_history_stays(self) -> None:
        assert accepted(dispatched("PMC"), "PMC").archive_at is None

    def test_the_oldest_entries_leave_and_the_chain_holds(self) -> None:
        case = noted(accepted(dispatched("PMC"), "PMC"), 120)
        assert case.archive_at is not None
        kept: list[dict[str, Any]] = []
        for _ in range(3):
            oldest = history.oldest(case)
            shorter = history.trimmed(case, archived=case.history.archived + len(oldest))
            if shorter is case:
                break
            kept += [stored(step) for step in oldest]
            case = shorter
        assert case.archive_at is None
        assert case.history.archived == len(kept) == 100
        full = document(case)
        assert history.archived_of(full) == 100
        assert history.flaw_of(full, [*kept, *full["steps"]]) is None
        assert history.flaw_of(full, [*kept[:-1], *full["steps"]]) is not None
        # The case goes on as if nothing had been taken away.
        again = noted(case, 3, seed=500)
        assert history.flaw_of(document(again), [*kept, *document(again)["steps"]]) is None

    def test_what_is_not_archived_yet_is_not_trimmed(self) -> None:
        case = noted(accepted(dispatched("PMC"), "PMC"), 120)
        assert history.trimmed(case, archived=0) is case
        assert history.trimmed(case, archived=10_000) is case
        once = history.trimmed(case, archived=100)
        assert history.trimmed(once, archived=100) is once

    def test_who_handled_is_remembered_beyond_the_archive(self) -> None:
        case = dispatched("PMC", "FIRE")
        case = replace(done(case, "PMC", "FIRE"), steps=(Step(at=START, by="x", verb="x", state=case.state),))
        handler = type(CHECKER)("fire-1", roles=CHECKER.roles, area=CHECKER.area)
        refused(
            "VERIFIER_HANDLED_IT", operations.verify_case, case, passed=True, photos=(photo(),), by=handler, **when(hours=1)
        )

    def test_a_case_takes_no_more_than_it_can_hold(self) -> None:
        case = accepted(dispatched("PMC"), "PMC")
        full = replace(case, steps=case.steps * (history.MOST_IN_CASE // len(case.steps) + 1))
        refused(
            "HISTORY_FULL",
            operations.report_progress,
            full,
            task_id=task_of(full, "PMC").task_id,
            text="x",
            by=someone("PMC"),
            **when(hours=1),
        )


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), minutes=st.lists(st.integers(0, 500), min_size=1, max_size=25))
def test_whatever_happens_the_chain_is_whole(seed: int, minutes: list[int]) -> None:
    """Random verbs, most of them refused: what remains is a whole chain, also after the way through the database."""
    chance = random.Random(seed)
    case = dispatched("PMC", "FIRE", "UMD")
    now = START
    for passed in minutes:
        now += timedelta(minutes=passed)
        task = chance.choice(case.tasks)
        who = someone(task.department)
        verb, more = chance.choice(
            [
                ("accept_task", {}),
                ("report_progress", {"text": "x"}),
                ("complete_task", {"result": "y", "unified_reply": "z", "parties_informed": "当面"}),
                ("object_task", {"reason": "n"}),
            ]
        )
        try:
            case = getattr(operations, verb)(case, task_id=task.task_id, by=who, at=now, now=now, **more)[0]
        except Exception:
            continue
    full = bson.decode(bson.encode(document(case)), codec_options=AWARE)
    assert history.flaw_of(full, full["steps"]) is None


def test_a_database_that_is_not_there_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "_PATIENCE_MS", 200)
    out = io.StringIO()
    assert verifying.main([], uri="mongodb://127.0.0.1:9", database="none", out=out) == 2
    assert "did not answer" in out.getvalue()
