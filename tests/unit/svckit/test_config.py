from __future__ import annotations

from dataclasses import dataclass

import pytest

from svckit.config import ConfigError, Settings, address_of, from_env


@dataclass(frozen=True, kw_only=True)
class Probe:
    name: str
    port: int = 1
    ratio: float = 0.5
    loud: bool = False
    tags: tuple[str, ...] = ()
    limit: int | None = None


def test_reads_every_type() -> None:
    environ = {
        "BINGLIAN_NAME": " x ",
        "BINGLIAN_PORT": "7",
        "BINGLIAN_RATIO": "1.5",
        "BINGLIAN_LOUD": "Yes",
        "BINGLIAN_TAGS": "a, b,,c",
        "BINGLIAN_LIMIT": "9",
    }
    assert from_env(Probe, environ) == Probe(name="x", port=7, ratio=1.5, loud=True, tags=("a", "b", "c"), limit=9)


def test_defaults_stand_where_nothing_is_set() -> None:
    assert from_env(Probe, {"BINGLIAN_NAME": "x", "BINGLIAN_PORT": ""}) == Probe(name="x")


def test_one_error_names_everything_and_repeats_no_value() -> None:
    with pytest.raises(ConfigError) as caught:
        from_env(Probe, {"BINGLIAN_PORT": "geheim", "BINGLIAN_LOUD": "perhaps"})
    text = str(caught.value)
    assert all(name in text for name in ("BINGLIAN_NAME", "BINGLIAN_PORT", "BINGLIAN_LOUD"))
    assert "geheim" not in text


def test_settings_read_the_standard_otel_variable() -> None:
    environ = {"BINGLIAN_MONGO_URI": "m", "BINGLIAN_AMQP_URI": "a", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://o:4318"}
    assert from_env(Settings, environ).otlp_endpoint == "http://o:4318"


def test_addresses_of_siblings_come_from_the_environment() -> None:
    assert address_of("fire-safety", environ={"BINGLIAN_FIRE_SAFETY_ADDRESS": "h:1"}) == "h:1"
    with pytest.raises(ConfigError, match="BINGLIAN_HOUSING_ADDRESS"):
        address_of("housing", environ={})
