"""Puts the clock of a process ahead or back by SKEW_SECONDS, as the clock of another machine may be; on the path of such processes only.

Our code asks `svckit.documents.utc_now` for the time it writes down, and `time.time` for the rest (tokens, telemetry).
"""

from __future__ import annotations

import datetime as dt
import os
import time

_SECONDS = float(os.environ.get("SKEW_SECONDS", "0"))
_true = time.time


def _skewed() -> float:
    return _true() + _SECONDS


if _SECONDS:
    time.time = _skewed
    from svckit import documents

    _now = documents.utc_now

    def utc_now() -> dt.datetime:
        """The time this machine believes in."""
        return _now() + dt.timedelta(seconds=_SECONDS)

    documents.utc_now = utc_now
