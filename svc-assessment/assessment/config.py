"""Settings of this service; nothing beyond what every service needs."""

from __future__ import annotations

from dataclasses import dataclass

from svckit.config import Settings as CommonSettings


@dataclass(frozen=True, kw_only=True)
class Settings(CommonSettings):
    """Read from the environment by `svckit.config.from_env`."""
