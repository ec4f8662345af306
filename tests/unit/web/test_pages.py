"""The pages' own unit tests (gateway/web/tests), run by vitest with the node of `make setup`."""

import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parents[3] / "gateway" / "web"
NODE = Path(sys.executable).parent / "node"


def test_the_pages_own_tests_pass():
    done = subprocess.run(
        [NODE, "node_modules/vitest/vitest.mjs", "run", "--reporter=dot"],
        cwd=WEB,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_lock_file_names_no_registry():
    text = (WEB / "package-lock.json").read_text()
    assert '"resolved"' not in text
