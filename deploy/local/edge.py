"""Settings of Traefik: one port for REST, pages and gRPC; routes follow the package names of the protos."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from deploy.local.layout import SERVICES, Layout

READ_SECONDS = 60
"""How long a whole request, headers and body, may take to come in (s); the largest we take has 8 MB. Answers may take for ever."""


def settings_file(layout: Layout) -> Path:
    """The static settings, which name the folder of the dynamic ones."""
    return layout.home / "traefik" / "traefik.yaml"


def write_settings(layout: Layout) -> None:
    """Writes the static and the dynamic settings under home/traefik. JSON is YAML, too."""
    static = settings_file(layout)
    routes = static.parent / "dynamic" / "routes.yaml"
    routes.parent.mkdir(parents=True, exist_ok=True)
    static.write_text(json.dumps(static_settings(layout), indent=2))
    # Traefik watches the folder: it must never see half a file.
    draft = static.parent / "routes.draft"
    draft.write_text(json.dumps(dynamic_settings(layout), indent=2))
    draft.replace(routes)


def static_settings(layout: Layout) -> dict[str, Any]:
    """Entry point and providers. BINGLIAN_LISTEN (default 127.0.0.1) opens the port to other machines."""
    address = os.environ.get("BINGLIAN_LISTEN", "127.0.0.1")
    return {
        "entryPoints": {
            "web": {
                "address": f"{address}:{layout.ports.edge}",
                # Departments hold streams for days: a request must be there in time, its answer may take as long as it likes.
                "transport": {
                    "respondingTimeouts": {"readTimeout": f"{READ_SECONDS}s", "writeTimeout": 0, "idleTimeout": "180s"},
                    "lifeCycle": {"graceTimeOut": "1s"},
                },
                "http2": {"maxConcurrentStreams": 1000},
            }
        },
        "providers": {"file": {"directory": str(layout.home / "traefik" / "dynamic"), "watch": True}},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
    }


def dynamic_settings(layout: Layout) -> dict[str, Any]:
    """Routers and backends. Nothing is retried here: only the caller knows whether its request may be sent twice."""
    routers = {f"grpc-{service}": _router(f"PathPrefix(`/{package_of(service)}`)", service) for service in SERVICES}
    # Every api process describes all services, so any of them answers for the suite.
    routers["grpc-reflection"] = _router("PathPrefix(`/grpc.reflection.`) || PathPrefix(`/grpc.health.`)", "mediation")
    routers["rest"] = _router("PathPrefix(`/`)", "gateway")
    backends = {service: _backend(f"h2c://127.0.0.1:{layout.ports.of(service)}") for service in SERVICES}
    backends["gateway"] = _backend(f"http://127.0.0.1:{layout.ports.gateway}")
    return {
        "http": {
            "routers": routers,
            "services": backends,
            "serversTransports": {
                "loopback": {
                    "maxIdleConnsPerHost": 512,
                    "forwardingTimeouts": {"dialTimeout": "3s", "readIdleTimeout": "15s", "pingTimeout": "10s"},
                }
            },
        }
    }


def package_of(service: str) -> str:
    """Start of the gRPC paths of a service: `binglian.fire_safety.`."""
    return f"binglian.{service.replace('-', '_')}."


def _router(rule: str, service: str) -> dict[str, Any]:
    return {"rule": rule, "service": service, "entryPoints": ["web"]}


def _backend(url: str) -> dict[str, Any]:
    return {"loadBalancer": {"servers": [{"url": url}], "serversTransport": "loopback", "passHostHeader": True}}
