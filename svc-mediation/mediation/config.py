"""Settings of svc-mediation: those of every service, plus how often the timer looks for lights to turn."""

from __future__ import annotations

from dataclasses import dataclass

from svckit.config import Settings


@dataclass(frozen=True, kw_only=True)
class MediationSettings(Settings):
    """`light_seconds`: pause between two rounds of the timer (BINGLIAN_LIGHT_SECONDS)."""

    light_seconds: float = 1.0
