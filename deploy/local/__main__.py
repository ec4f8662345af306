"""`python -m deploy.local`: the whole suite on this machine."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

from deploy.local import stack, supervise
from deploy.local.layout import SERVICES, Layout, SetupProblem
from deploy.local.parts import demo_sign_in, population_environment
from deploy.local.progress import console
from svckit import deadletter

PAGES = (("Live board", "/"), ("REST, described", "/docs"), ("OpenAPI", "/openapi.json"))


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a shell's background job ignores SIGINT until told otherwise
        signal.signal(number, _interrupt)
    try:
        command: Callable[[Layout, argparse.Namespace], int] = options.run
        return command(Layout.from_env(home=options.home), options)
    except SetupProblem as problem:
        print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(layout: Layout, options: argparse.Namespace) -> int:
    if stack.stays_up(layout):
        raise SetupProblem(f"The suite is up already at {layout.edge_url}: use it, or stop it first with `make down`.")
    began = time.monotonic()
    stack.start(layout, detached=False, only_servers=options.servers)
    _welcome(layout, time.monotonic() - began, options.servers)
    console.print("Ctrl-C stops all of it; the data stays.")
    try:
        stack.watch(layout)
    except KeyboardInterrupt:
        console.print("\nstopping …")
        stack.stop(layout)
        console.print("stopped")
        return 0
    stack.stop(layout)
    raise SetupProblem(f"The process manager has ended; {layout.logs / 'supervisord.log'} says why.")


def _up(layout: Layout, options: argparse.Namespace) -> int:
    if not options.detach:
        return _run(layout, options)
    began = time.monotonic()
    if not stack.stays_up(layout):
        stack.start(layout, detached=True, only_servers=options.servers)
    _welcome(layout, time.monotonic() - began, options.servers)
    return 0


def _down(layout: Layout, options: argparse.Namespace) -> int:
    if stack.running(layout) or supervise.leftovers(layout):
        stack.stop(layout)
        console.print("stopped")
    return 0


def _status(layout: Layout, options: argparse.Namespace) -> int:
    states = supervise.process_states(layout)
    if options.json:
        print(json.dumps([vars(state) for state in states or ()]))
    elif states is None:
        console.print("not running")
    else:
        for state in states:
            seconds = time.time() - state.since if state.pid else 0
            console.print(f"{state.name:<20} {state.state:<9} pid {state.pid or '-':<8} up {seconds:.0f} s {state.note}")
    return 0 if states else 1


def _logs(layout: Layout, options: argparse.Namespace) -> int:
    file = layout.logs / f"{options.name}.log"
    if not file.exists():
        names = ", ".join(sorted(path.stem for path in layout.logs.glob("*.log"))) or "none yet"
        raise SetupProblem(f"There is no log of {options.name!r}; there are logs of: {names}.")
    os.execvp("tail", ["tail", "-n", str(options.lines), *(["-F"] if options.follow else []), str(file)])


def _dead(layout: Layout, options: argparse.Namespace) -> int:
    uri = stack.shared_environment(layout, os.environ)["BINGLIAN_AMQP_URI"]
    arguments = [options.action, "--service", options.service.replace("-", "_"), "--id", options.id, "--amqp-uri", uri]
    return deadletter.main(arguments)


def _verify_history(layout: Layout, options: argparse.Namespace) -> int:
    given = (("--seal", options.seal), ("--against", options.against))
    files = [part for name, file in given if file for part in (name, file)]
    command = [sys.executable, "-m", "mediation", "verify-history", *options.cases, *files]
    environment = {**os.environ, **stack.shared_environment(layout, os.environ)}
    return subprocess.run(command, env=environment, check=False).returncode


def _population(layout: Layout, options: argparse.Namespace) -> int:
    """Runs a command of svc-population on this home's register; starts the servers for it when they are down."""
    sizes = ["--residents", str(options.residents)] if options.command == "seed" else []
    command = [sys.executable, "-m", "population", options.command, *sizes]
    is_up = stack.stays_up(layout)
    if not is_up:
        stack.start(layout, detached=True, only_servers=True)
    try:
        environment = {**os.environ, **population_environment(layout, os.environ)}
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        if not is_up:
            stack.stop(layout)


def _welcome(layout: Layout, seconds: float, only_servers: bool) -> None:
    if only_servers:
        console.print(
            f"\nThe servers are ready after {seconds:.0f} s; their addresses stand in {stack.environment_file(layout)}."
        )
        return
    console.print(f"\nBinglian is ready after {seconds:.0f} s.")
    for name, path in PAGES:
        console.print(f"  {name:<16} {layout.edge_url}{path}")
    console.print(f"  {'gRPC':<16} localhost:{layout.ports.edge} (grpcurl -plaintext localhost:{layout.ports.edge} list)")
    console.print(f"  {'Logs':<16} {layout.logs} (those of the run before: *.log.1)")
    if sign_in := demo_sign_in(os.environ):
        console.print(f"  {'Sign in':<16} {sign_in}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description=__doc__,
        epilog="Environment: BINGLIAN_PORT_BASE puts all ports into one block; BINGLIAN_PORT_EDGE and its like set one; BINGLIAN_LISTEN "
        "opens the edge to other machines; BINGLIAN_MONGO_URI, BINGLIAN_AMQP_URI and OTEL_EXPORTER_OTLP_ENDPOINT name servers to use "
        "instead of our own.",
    )
    parser.add_argument("--home", help="folder of data and logs (default: BINGLIAN_HOME, or .binglian in the repository)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    run = commands.add_parser("run", help="start everything and stay; Ctrl-C stops it")
    run.set_defaults(run=_run)
    up = commands.add_parser("up", help="start everything; with --detach, return when it is ready")
    up.add_argument("--detach", action="store_true", help="leave it running in the background")
    up.set_defaults(run=_up)
    for command in (run, up):
        command.add_argument("--servers", action="store_true", help="only database, broker and trace store")
    commands.add_parser("down", help="stop everything; data stays").set_defaults(run=_down)
    status = commands.add_parser("status", help="list the processes; exit code 1 when none run")
    status.add_argument("--json", action="store_true", help="as JSON: name, state, pid, since, note")
    status.set_defaults(run=_status)
    logs = commands.add_parser("logs", help="show the log of one process")
    logs.add_argument("name", help="as in status, or supervisord")
    logs.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    logs.add_argument("-n", "--lines", type=int, default=100, help="how many lines (default 100)")
    logs.set_defaults(run=_logs)
    verify = commands.add_parser(
        "verify-history", help="work out the hash chains of all cases, or of some, and name what is broken"
    )
    verify.add_argument("cases", nargs="*", help="ids of cases; all when none is named")
    verify.add_argument("--seal", default="", metavar="FILE", help="write down where the chains stand")
    verify.add_argument("--against", default="", metavar="FILE", help="hold the chains against what was written down")
    verify.set_defaults(run=_verify_history)
    seed = commands.add_parser("seed", help="fill the register of residents with made-up people")
    seed.add_argument("--residents", type=int, default=20_000, help="how many (default 20,000)")
    seed.set_defaults(run=_population)
    rebuild = commands.add_parser("rebuild-replica", help="build the columnar replica of the register from scratch")
    rebuild.set_defaults(run=_population)
    dead = commands.add_parser("dead", help="list or replay the messages a service could not handle")
    dead.add_argument("action", choices=("list", "replay"))
    dead.add_argument("service", choices=SERVICES)
    dead.add_argument("--id", default="", help="only the message with this event id")
    dead.set_defaults(run=_dead)
    return parser


if __name__ == "__main__":
    sys.exit(main())
