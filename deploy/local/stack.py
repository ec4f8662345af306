"""Starts, watches and stops the suite on one machine."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from deploy.local import edge, machine, supervise
from deploy.local.layout import Layout, SetupProblem
from deploy.local.parts import READY_SECONDS, SERVERS, Part, build_parts, shared_environment
from deploy.local.progress import Progress, console
from svckit.embedded import ServerSilent

_STEADY_SECONDS = 1.0
_NOTICE_SECONDS = 1.5  # the manager looks once a second whether it was told to end, as it is when `make run` was killed
_MANAGER_SECONDS = 5.0
_LOG_LINES = 12


def running(layout: Layout) -> bool:
    """Whether this stack is up, or starting."""
    return supervise.process_states(layout) is not None


def stays_up(layout: Layout) -> bool:
    """Whether this stack is up and remains so; one that is going down is waited for.

    Raises SetupProblem when that takes longer than a minute.
    """
    noticed = time.monotonic() + _NOTICE_SECONDS
    while running(layout) and not supervise.stopping(layout) and time.monotonic() < noticed:
        time.sleep(0.1)
    if supervise.stopping(layout):
        console.print("an earlier run is still stopping …")
    gone = time.monotonic() + supervise.STOP_SECONDS
    while supervise.stopping(layout):
        if time.monotonic() > gone:
            raise SetupProblem("An earlier run of the suite is still stopping: try again in a minute.")
        time.sleep(0.2)
    return running(layout)


def start(layout: Layout, *, detached: bool, only_servers: bool = False) -> None:
    """Starts everything, or only database, broker and trace store, and returns when all of it is ready. Call it in the main thread.

    Raises SetupProblem after stopping what had started.
    """
    environ = dict(os.environ)
    machine.ensure_rabbit(environ=environ, say=console.print)
    machine.ensure_fonts(environ=environ, say=console.print)
    supervise.end_leftovers(layout)
    parts = [part for part in build_parts(layout, environ) if part.group in SERVERS or not only_servers]
    machine.check_ports(parts)
    edge.write_settings(layout)
    _note_environment(layout, environ)
    for part in parts:
        _keep_log(layout.logs / f"{part.name}.log")
    supervise.start_manager(layout, parts, detached=detached)
    try:
        with Progress(parts) as progress:
            _wait_until_ready(layout, parts, progress)
    except BaseException:
        supervise.shut_down(layout)
        raise


def _keep_log(file: Path) -> None:
    """A start begins a log of its own; that of the run before stays as `.log.1`, which may be the one that says what went wrong."""
    with contextlib.suppress(FileNotFoundError):
        file.replace(file.with_suffix(".log.1"))


def stop(layout: Layout) -> None:
    """Stops everything that belongs to this stack; data stays."""
    supervise.shut_down(layout)


@contextlib.contextmanager
def stack(layout: Layout) -> Iterator[str]:
    """Gives the edge URL of a running stack: the one that is up already, or one that is started here and stopped at the end."""
    if stays_up(layout):
        yield layout.edge_url
        return
    start(layout, detached=False)
    try:
        yield layout.edge_url
    finally:
        stop(layout)


def watch(layout: Layout) -> None:
    """Says when a process was restarted; returns when the manager is gone."""
    known: dict[str, int] = {}
    while (states := supervise.process_states(layout)) is not None:
        for state in states:
            if state.pid and known.get(state.name, state.pid) != state.pid:
                console.print(f"{time.strftime('%H:%M:%S')} {state.name} had ended and was started again")
            if state.pid:
                known[state.name] = state.pid
        time.sleep(1)


def environment_file(layout: Layout) -> Path:
    """JSON object with the environment variables of this stack's services, for tools that connect to the same servers."""
    return layout.home / "environment.json"


def _note_environment(layout: Layout, environ: dict[str, str]) -> None:
    layout.home.mkdir(parents=True, exist_ok=True)
    file = environment_file(layout)
    file.write_text(json.dumps(shared_environment(layout, environ), indent=2))
    file.chmod(0o600)  # the addresses may hold passwords


def _wait_until_ready(layout: Layout, parts: Sequence[Part], progress: Progress) -> None:
    answers: queue.SimpleQueue[tuple[Part, Exception | None]] = queue.SimpleQueue()
    for part in parts:
        # Daemons: whoever presses Ctrl-C does not wait for a part that will never be ready.
        threading.Thread(target=_report, args=(layout, part, answers), daemon=True).start()
    for _ in parts:
        part, problem = _next(answers, layout, progress)
        progress.mark(part.name, "failed" if problem else "ready")
        if isinstance(problem, SetupProblem | ServerSilent):
            raise SetupProblem(f"{part.name} did not start: {problem} The end of its log:\n{log_end(layout, part.name)}")
        if problem:
            raise problem


def _report(layout: Layout, part: Part, answers: queue.SimpleQueue[tuple[Part, Exception | None]]) -> None:
    try:
        if part.wait:
            part.wait()
        else:
            _wait_until_steady(layout, part)
    except Exception as problem:
        answers.put((part, problem))
    else:
        answers.put((part, None))


def _next(
    answers: queue.SimpleQueue[tuple[Part, Exception | None]], layout: Layout, progress: Progress
) -> tuple[Part, Exception | None]:
    while True:
        with contextlib.suppress(queue.Empty):
            return answers.get(timeout=0.5)
        if progress.seconds > _MANAGER_SECONDS and not running(layout):
            raise SetupProblem(f"The process manager has ended; {layout.logs / 'supervisord.log'} says why.")


def _wait_until_steady(layout: Layout, part: Part) -> None:
    """For a process without a port: ready when it has stayed up for a while."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        states = {state.name: state for state in supervise.process_states(layout) or ()}
        state = states.get(part.name)
        if state and state.state == "RUNNING" and time.time() - state.since >= _STEADY_SECONDS:
            return
        time.sleep(0.5)
    raise SetupProblem("It ends again and again.")


def log_end(layout: Layout, name: str) -> str:
    """The last lines of a process's log."""
    file = layout.logs / f"{name}.log"
    if not file.exists():
        return f"({file} does not exist)"
    return "\n".join(file.read_text(errors="replace").splitlines()[-_LOG_LINES:])
