"""Settings of the gateway, from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from svckit.config import PREFIX

_PORTS = {"population": 9101, "housing": 9102, "mediation": 9103, "fire_safety": 9104, "assessment": 9105}


@dataclass(frozen=True, kw_only=True)
class GatewaySettings:
    """One field per variable BINGLIAN_<FIELD>; see gateway/README.md.

    The gateway issues tokens itself while `issuer` is its own `public_url` (the default); any other issuer turns its token
    endpoint and login off, and `jwks_url` then says where that issuer's keys are.
    """

    http_host: str = "127.0.0.1"
    http_port: int = 8081
    gateway_workers: int = 1
    gateway_connections: int = 2
    public_url: str = "http://localhost:8080"
    issuer: str = ""
    audience: str = "binglian"
    jwks_url: str = ""
    mongo_uri: str = ""
    gateway_database: str = "binglian_gateway"
    demo_users: bool = False
    demo_password: str = "Binglian-demo-2026"  # noqa: S105  -- documented; only ever used for accounts of made-up people
    max_body: int = 1024 * 1024
    body_seconds: float = 30.0
    request_timeout: float = 10.0
    stream_seconds: float = 300.0
    heartbeat_seconds: float = 15.0
    token_seconds: int = 900
    system_token_seconds: int = 3600
    session_seconds: int = 12 * 3600
    drain_seconds: float = 10.0
    trace_query_url: str = "http://127.0.0.1:4318/api/v3/traces/{trace_id}"
    web_root: str = str(Path(__file__).parents[1] / "web" / "dist")
    access_log: bool = True
    log_level: str = "INFO"
    otlp_endpoint: str = field(default="", metadata={"env": "OTEL_EXPORTER_OTLP_ENDPOINT"})

    @property
    def issues_tokens(self) -> bool:
        """Whether this gateway is the issuer."""
        return self.token_issuer == self.public_url

    @property
    def token_issuer(self) -> str:
        """The `iss` of tokens that are accepted."""
        return self.issuer or self.public_url


def service_address(service: str, environ: Mapping[str, str] | None = None) -> str:
    """Returns host:port of a service's gRPC api: BINGLIAN_<SERVICE>_ADDRESS, or where `make run` puts it.

    Raises KeyError for a service that is neither configured nor part of the suite.
    """
    source = os.environ if environ is None else environ
    return source.get(f"{PREFIX}{service.upper()}_ADDRESS") or f"127.0.0.1:{_PORTS[service]}"
