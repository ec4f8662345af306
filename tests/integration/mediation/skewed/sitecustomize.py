"""Puts the clock of a process ahead or back by SKEW_SECONDS, as the clock of another machine may be; on the path of such processes only.

Our code asks `svckit.documents.utc_now` for the time it writes down, and `time.time` for the rest (tokens, telemetry). The first is
changed the moment it is there and no earlier: a worker has to load other things before it.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import sys
import time
from importlib.abc import MetaPathFinder
from typing import Any

_SECONDS = float(os.environ.get("SKEW_SECONDS", "0"))
_PLACE = "svckit.documents"
_true = time.time


def _skewed() -> float:
    return _true() + _SECONDS


class _Skewing(MetaPathFinder):
    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != _PLACE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec, "svckit is installed"
        loader: Any = spec.loader
        run = loader.exec_module

        def run_and_skew(module: Any) -> None:
            run(module)
            now = module.utc_now
            module.utc_now = lambda: now() + dt.timedelta(seconds=_SECONDS)

        loader.exec_module = run_and_skew
        return spec


if _SECONDS:
    time.time = _skewed
    sys.meta_path.insert(0, _Skewing())
