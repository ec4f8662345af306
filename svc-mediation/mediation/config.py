"""Settings of svc-mediation: those of every service, plus its patience with housing."""

from __future__ import annotations

from dataclasses import dataclass

from svckit.config import Settings


@dataclass(frozen=True, kw_only=True)
class MediationSettings(Settings):
    """`locate_seconds`: how long a report waits for housing to find its grid (BINGLIAN_LOCATE_SECONDS)."""

    locate_seconds: float = 0.3
