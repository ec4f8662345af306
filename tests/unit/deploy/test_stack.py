"""One home, one stack: what a start finds of the run before, and what people are told."""

import sys
import threading
import time
from pathlib import Path

import pytest

from deploy.local import stack, supervise
from deploy.local.layout import Layout
from deploy.local.parts import Part, demo_sign_in
from deploy.replay import __main__ as replay

LINGERS = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(2), exit())); time.sleep(60)"


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout.from_env({}, home=str(tmp_path / "home"))


def test_a_stack_that_goes_down_is_waited_for(layout: Layout) -> None:
    part = Part(name="lingers", group="apps", command=[sys.executable, "-c", LINGERS])
    supervise.start_manager(layout, [part], detached=False)
    try:
        _until_running(layout)
        assert stack.stays_up(layout)
        threading.Timer(0.3, _shut_down, [layout]).start()  # as after `kill -9` of make run: a moment later
        assert not stack.stays_up(layout)
        assert not supervise.stopping(layout)
    finally:
        stack.stop(layout)


def _shut_down(layout: Layout) -> None:
    with supervise._proxy(layout) as manager:
        manager.supervisor.shutdown()


def _until_running(layout: Layout) -> None:
    deadline = time.monotonic() + 10
    while not any(state.state == "RUNNING" for state in supervise.process_states(layout) or ()):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_log_of_the_run_before_is_kept_and_only_that(tmp_path: Path) -> None:
    log = tmp_path / "gateway.log"
    for text in ("first", "second"):
        log.write_text(text)
        stack._keep_log(log)
    stack._keep_log(log)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"gateway.log.1": "second"}


def test_people_are_told_how_to_sign_in_unless_there_are_no_demo_accounts() -> None:
    assert "Binglian-demo-2026" in demo_sign_in({})
    assert "secret" not in demo_sign_in({"BINGLIAN_DEMO_PASSWORD": "secret"})
    assert demo_sign_in({"BINGLIAN_DEMO_USERS": "0"}) == ""


def test_a_replay_of_nothing_is_one_sentence_with_an_example(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["replay"])
    assert replay.main() == 2
    told = capsys.readouterr().err
    assert "make replay FILE=" in told
    assert told.count("\n") == 1
