"""Writes constraints.txt anew with the newest versions that work together. Run by `make lock`, then `make test`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("svckit", "gateway", "svc-mediation", "svc-population", "svc-housing", "svc-fire-safety", "svc-assessment")
GROUPS = ("stack", "dev", "bench")
HEAD = """# Exact versions of everything that is installed: the newest releases that work together on Python 3.11.
# Written by `make lock` from the pyproject.toml files; after it, run `make test`.
"""


def resolve(wanted: Path) -> list[str]:
    """Asks uv for one version of every package, as `name==version` lines."""
    command = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--python-version", "3.11", "--quiet"]
    options = ["--no-header", "--no-annotate", "--upgrade", *(part for group in GROUPS for part in ("--group", group))]
    done = subprocess.run([*command, *options, str(wanted)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"lock: the wishes of the pyproject.toml files cannot all be met:\n{done.stderr}")
    return [line for line in done.stdout.splitlines() if "==" in line]


def main() -> None:
    """Resolves and writes."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.in"
        wanted.write_text("uv\n" + "".join(f"-e {ROOT / package}\n" for package in PACKAGES))
        lines = resolve(wanted)
    (ROOT / "constraints.txt").write_text(HEAD + "".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
