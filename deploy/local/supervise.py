"""Supervisor as our process manager: its settings, its start, and its XML-RPC interface over a Unix socket."""

from __future__ import annotations

import contextlib
import http.client
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import xmlrpc.client
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.layout import ROOT, Layout
from deploy.local.parts import GROUPS, Part
from svckit.embedded import end_with_parent

# Every process of a stack carries its home in this variable, by which leftovers are told from other people's processes.
MARK = "BINGLIAN_STACK"
STOP_SECONDS = 60.0
_UNREACHABLE = (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError)


@dataclass(frozen=True)
class ProcessState:
    """What Supervisor knows about one process: state is its word (RUNNING, BACKOFF, FATAL …), `since` seconds since the epoch."""

    name: str
    state: str
    pid: int
    since: int
    note: str


def write_settings(layout: Layout, parts: Sequence[Part]) -> Path:
    """Writes supervisord.conf under home and returns its path."""
    layout.logs.mkdir(parents=True, exist_ok=True)
    sections = [_manager_section(layout)]
    for number, group in enumerate(GROUPS):
        members = [part for part in parts if part.group == group]
        if members:
            sections.append(
                _section(f"group:{group}", {"programs": ",".join(part.name for part in members), "priority": number})
            )
            sections.extend(_program(layout, part) for part in members)
    path = layout.home / "supervisord.conf"
    path.write_text("\n".join(sections))
    return path


def _manager_section(layout: Layout) -> str:
    manager = {
        "logfile": layout.logs / "supervisord.log",
        "logfile_maxbytes": "5MB",
        "logfile_backups": 1,
        "pidfile": layout.home / "supervisord.pid",
        "childlogdir": layout.logs,
        "directory": ROOT,
        "minfds": 1024,
    }
    if os.geteuid() == 0:
        manager["user"] = "root"  # said aloud, or Supervisor warns
    interface = {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"}
    return "\n".join(
        (
            _section("supervisord", manager),
            _section("unix_http_server", {"file": layout.control_socket, "chmod": "0700"}),
            _section("rpcinterface:supervisor", interface),
        )
    )


def _program(layout: Layout, part: Part) -> str:
    settings = {
        "command": shlex.join(part.command),
        "directory": ROOT,
        "autorestart": "true",
        "startsecs": 1,
        # An app that cannot start yet tries again; Supervisor waits one second longer each time.
        "startretries": 1000,
        "stopsignal": "TERM",
        "stopwaitsecs": part.stop_seconds,
        "stopasgroup": "true",
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": layout.logs / f"{part.name}.log",
        "stdout_logfile_maxbytes": "20MB",
        "stdout_logfile_backups": 1,
    }
    text = _section(f"program:{part.name}", settings)
    if part.environment:
        text += f"environment={_environment(part.environment)}\n"
    return text


def _section(name: str, values: Mapping[str, Any]) -> str:
    # Supervisor expands %(…)s in values.
    return f"[{name}]\n" + "".join(f"{key}={str(value).replace('%', '%%')}\n" for key, value in values.items())


def _environment(values: Mapping[str, str]) -> str:
    quoted = (f'{name}="{value}"' for name, value in values.items())
    return ",".join(quoted).replace("%", "%%")


def start_manager(layout: Layout, parts: Sequence[Part], *, detached: bool) -> None:
    """Starts supervisord with all its programs. Unless detached it ends, with everything it runs, when this process ends."""
    settings = write_settings(layout, parts)
    output = (layout.logs / "supervisord.out").open("ab")
    with output:
        manager = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "--nodaemon", "-c", str(settings)],
            cwd=ROOT,
            env={**os.environ, MARK: str(layout.home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches us only, and we stop the rest in order
            preexec_fn=None if detached else end_with_parent,
        )
    threading.Thread(target=manager.wait, daemon=True).start()  # or its remains would stay a zombie


def process_states(layout: Layout) -> list[ProcessState] | None:
    """The state of every process (none while the manager shuts down), or None when no manager runs for this home."""
    try:
        with _proxy(layout) as manager:
            rows: Any = manager.supervisor.getAllProcessInfo()
    except xmlrpc.client.Fault:
        return []
    except _UNREACHABLE:
        return None
    return [ProcessState(row["name"], row["statename"], row["pid"], row["start"], row["spawnerr"]) for row in rows]


def stopping(layout: Layout) -> bool:
    """Whether a manager runs for this home that is shutting down."""
    try:
        with _proxy(layout) as manager:
            manager.supervisor.getState()
    except xmlrpc.client.Fault:  # all it answers then
        return True
    except _UNREACHABLE:
        return False
    return False


def shut_down(layout: Layout) -> None:
    """Stops all processes group by group and then the manager; afterwards ends what a killed manager may have left behind."""
    with contextlib.suppress(*_UNREACHABLE, xmlrpc.client.Fault), _proxy(layout) as manager:
        manager.supervisor.shutdown()
    deadline = time.monotonic() + STOP_SECONDS
    while process_states(layout) is not None and time.monotonic() < deadline:
        time.sleep(0.2)
    end_leftovers(layout)
    layout.control_socket.unlink(missing_ok=True)


def _proxy(layout: Layout) -> xmlrpc.client.ServerProxy:
    transport = SupervisorTransport(None, None, serverurl=f"unix://{layout.control_socket}")
    return xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)


def end_leftovers(layout: Layout) -> None:
    """Terminates, then kills, processes of this stack that no manager watches any more."""
    for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
        if not (pids := leftovers(layout)):
            return
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience
        while leftovers(layout) and time.monotonic() < deadline:
            time.sleep(0.1)


def leftovers(layout: Layout) -> list[int]:
    """Process ids of this stack, found by the mark in their environment."""
    mark = f"{MARK}={layout.home}".encode()
    return [pid for pid in _process_ids() if pid != os.getpid() and mark in _environment_of(pid)]


def _process_ids() -> Iterable[int]:
    return (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))


def _environment_of(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return []
