"""Settings from the environment, read once at start, complete or not at all."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")

PREFIX = "BINGLIAN_"
_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class ConfigError(Exception):
    """The environment is incomplete or wrong; the text names every variable concerned."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What every service process needs; services subclass it and add their own fields.

    A field `mongo_uri` is read from `BINGLIAN_MONGO_URI`; `metadata={"env": "NAME"}` names another variable.
    """

    mongo_uri: str
    amqp_uri: str
    mongo_database: str = ""  # binglian_<service> when not given
    grpc_host: str = "127.0.0.1"
    grpc_port: int = 0
    jwks_url: str = ""
    issuer: str = "binglian"
    audience: str = "binglian"
    log_level: str = "INFO"
    log_values: bool = False
    drain_seconds: float = 10.0
    otlp_endpoint: str = dataclasses.field(default="", metadata={"env": "OTEL_EXPORTER_OTLP_ENDPOINT"})


def from_env(cls: type[T], environ: Mapping[str, str] | None = None) -> T:
    """Builds the frozen dataclass `cls` from `environ` (default: the process environment).

    Supports str, int, float, bool, tuple[str, ...] (comma separated) and `X | None`. An empty variable counts as not set.
    Raises ConfigError naming all missing and all unreadable variables at once.
    """
    source = os.environ if environ is None else environ
    hints = typing.get_type_hints(cls)
    problems: list[str] = []
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        _read(field, hints[field.name], source, values, problems)
    if problems:
        raise ConfigError(f"{cls.__name__}: " + "; ".join(problems))
    return cls(**values)


def variable_of(field: dataclasses.Field[Any]) -> str:
    """Returns the name of the environment variable of a settings field."""
    return str(field.metadata.get("env") or PREFIX + field.name.upper())


def _read(
    field: dataclasses.Field[Any], hint: Any, source: Mapping[str, str], values: dict[str, Any], problems: list[str]
) -> None:
    name = variable_of(field)
    text = source.get(name, "").strip()
    if not text:
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            problems.append(f"{name} is not set")
        return
    try:
        values[field.name] = _parser(hint)(text)
    except ValueError:
        # The value is not repeated: it may be a password.
        problems.append(f"{name} cannot be read as {_plain(hint)}")


def _parser(hint: Any) -> Callable[[str], Any]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(arg for arg in typing.get_args(hint) if arg is not type(None))
    if typing.get_origin(hint) is tuple:
        return _split
    if hint is bool:
        return _flag
    if hint in (str, int, float):
        return typing.cast(Callable[[str], Any], hint)
    raise TypeError(f"settings cannot hold {hint!r}")


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _flag(text: str) -> bool:
    lowered = text.lower()
    if lowered in _TRUE:
        return True
    if lowered in _FALSE:
        return False
    raise ValueError(text)


def _plain(hint: Any) -> str:
    return getattr(hint, "__name__", str(hint))


def address_of(service: str, environ: Mapping[str, str] | None = None) -> str:
    """Returns host:port of a sibling's gRPC server from `BINGLIAN_<SERVICE>_ADDRESS`. Raises ConfigError when it is not set."""
    name = f"{PREFIX}{service.upper().replace('-', '_')}_ADDRESS"
    address = (os.environ if environ is None else environ).get(name, "").strip()
    if not address:
        raise ConfigError(f"{name} is not set")
    return address
