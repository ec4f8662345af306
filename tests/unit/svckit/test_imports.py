"""What workers use never loads grpc: eventlet and grpc must not meet in one process."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "module",
    ["access", "config", "errors", "event_codec", "ids", "logs", "messages", "schema", "telemetry", "wellknown", "worker"],
)
def test_grpc_stays_out(module: str) -> None:
    code = f"import svckit.{module}, sys; sys.exit(', '.join(name for name in sys.modules if name.split('.')[0] == 'grpc'))"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""
