"""Makes this machine ready: the system packages of RabbitMQ and of the Chinese fonts, free ports."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from deploy.local.layout import SetupProblem
from deploy.local.parts import Part
from svckit.embedded import ServerMissing, rabbit_program

_POLICY = Path("/usr/sbin/policy-rc.d")
_BY_HAND = "install it with `sudo apt-get install rabbitmq-server`, or set BINGLIAN_AMQP_URI to a broker that runs elsewhere."

_FONTS = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc")


def ensure_rabbit(*, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Installs the package rabbitmq-server when it is needed and missing; raises SetupProblem where we may not or cannot."""
    if environ.get("BINGLIAN_AMQP_URI"):
        return
    with contextlib.suppress(ServerMissing):
        rabbit_program()
        return
    if not shutil.which("apt-get"):
        raise SetupProblem("RabbitMQ is not installed and this system has no apt-get: install RabbitMQ 3.10 or newer, "
                           "or set BINGLIAN_AMQP_URI to a broker that runs elsewhere.")  # fmt: skip
    if os.geteuid() != 0:
        raise SetupProblem(f"RabbitMQ is not installed: {_BY_HAND}")
    say("installing RabbitMQ from the system's packages (only this once)")
    _install_rabbit()


def ensure_fonts(*, environ: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Installs the package fonts-noto-cjk when it is missing; where that fails only the PDFs of agreements have to wait for it."""
    if environ.get("BINGLIAN_FONT_FOLDER") or _FONTS.exists():
        return
    problem = "they need `sudo apt-get install fonts-noto-cjk`"
    if shutil.which("apt-get") and os.geteuid() == 0:
        say("installing Chinese fonts from the system's packages (only this once)")
        problem = apt_install("fonts-noto-cjk")
    if problem:
        say(f"agreements can be had as DOCX, not as PDF, until there are Chinese fonts: {problem}")


def _install_rabbit() -> None:
    with _no_system_node():
        problem = apt_install("rabbitmq-server")
    if problem:
        raise SetupProblem(f"RabbitMQ could not be installed (apt-get says: {problem}): {_BY_HAND}")


def apt_install(package: str) -> str:
    """Installs a system package; returns apt-get's complaint, or an empty text when it succeeded."""
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", package]
    if not _run(install):
        return ""
    _run(["apt-get", "update", "--quiet"])  # most often the package lists are missing or old
    return _run(install)


def _run(command: Sequence[str]) -> str:
    """Runs a command; returns the last line of its complaint, or an empty text when it succeeded."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


@contextlib.contextmanager
def _no_system_node() -> Iterator[None]:
    """Keeps Debian from starting a system-wide node when the package is installed; ours runs from our own folder."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def check_ports(parts: Sequence[Part]) -> None:
    """Raises SetupProblem naming the first port that another program holds."""
    for part in parts:
        if part.port and not _free(part.port):
            raise SetupProblem(
                f"Port {part.port}, which {part.name} needs, is taken by another program "
                f"(`ss -ltnp 'sport = :{part.port}'` shows it): stop that program, "
                "or choose another block of ports, for example BINGLIAN_PORT_BASE=18000."
            )


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last user has just gone may be used again, as the servers themselves do.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                raise SetupProblem(
                    f"Port {port} needs more rights than you have: choose another, see BINGLIAN_PORT_BASE."
                ) from None
            return False
    return True
