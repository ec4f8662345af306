"""What CI demands of every change besides its tests. Run by `make check`; every check runs, also after one has failed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
DESCRIPTORS = "proto/gen/binglian/descriptors.binpb"
BASELINE = ROOT / "proto" / "baseline.binpb.gz"
PACKAGES = ("svckit", "gateway", "mediation", "population", "housing", "fire_safety", "assessment", "deploy")


def checks() -> Iterator[tuple[str, list[str]]]:
    """Name and command of every check."""
    yield "ruff check", [str(BIN / "ruff"), "check", "--quiet", "."]
    yield "ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]
    yield "mypy", [str(BIN / "mypy"), *(argument for package in PACKAGES for argument in ("-p", package))]
    yield "vue-tsc", [str(BIN / "node"), "gateway/web/node_modules/vue-tsc/bin/vue-tsc.js", "--noEmit", "-p", "gateway/web"]
    yield "import rules", [str(BIN / "lint-imports"), "--no-logo"]
    yield "buf lint", [str(BIN / "buf"), "lint", DESCRIPTORS, "--config", "proto/buf.yaml"]
    if BASELINE.exists():
        against = ["--against", str(BASELINE), "--config", "proto/buf.yaml"]
        yield "buf breaking", [str(BIN / "buf"), "breaking", DESCRIPTORS, *against]
    if (ROOT / "deploy" / "overlays").exists():
        yield "overlays build", [sys.executable, "-m", "deploy.overlays"]
    yield "generated docs", [sys.executable, "-m", "deploy.docs", "--check"]


def passes(name: str, command: Sequence[str]) -> bool:
    """Runs one check and prints one line, and its output when it failed."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    word = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:<16} {word:<8} {time.monotonic() - began:5.1f} s", flush=True)
    if done.returncode != 0:
        print(done.stdout.rstrip(), flush=True)
    return done.returncode == 0


def main() -> int:
    """Returns 0 when all checks pass."""
    results = [passes(name, command) for name, command in checks()]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
