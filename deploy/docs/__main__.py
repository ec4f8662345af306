"""`python -m deploy.docs` writes the generated documents; with --check it names those that are out of date and returns 1."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.docs import diagrams, events

ROOT = Path(__file__).parent.parent.parent


def documents() -> Iterator[tuple[Path, str]]:
    """Every generated document with the text it should have."""
    yield ROOT / "docs" / "events.md", events.render()
    for readme in sorted(ROOT.glob("svc-*/README.md")):
        yield readme, diagrams.redraw(readme.read_text())


def main() -> int:
    """Writes or compares; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing")
    check = parser.parse_args().check
    stale = [(path, text) for path, text in documents() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        print(f"{path.relative_to(ROOT)} {'is out of date: run `make docs`' if check else 'written'}")
        if not check:
            path.write_text(text)
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
