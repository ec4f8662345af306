"""Settings of the housing service, from the environment."""

from __future__ import annotations

from dataclasses import dataclass

import svckit.config


@dataclass(frozen=True, kw_only=True)
class Settings(svckit.config.Settings):
    """Nothing beyond what every service needs."""


@dataclass(frozen=True, kw_only=True)
class CommandSettings(Settings):
    """What commands need: the database, no broker."""

    amqp_uri: str = ""
