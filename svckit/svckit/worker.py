"""The worker process of a service: a nameko container under eventlet. Import this module before anything else that opens sockets.

It waits for its database and its broker as long as it takes, and on SIGTERM finishes the batches in hand.
"""

# ruff: noqa: E402 - everything below has to see the patched modules
from __future__ import annotations

import sys
import warnings

# Known, and decided: nameko stands on it, and it is maintained.
warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet

if "pymongo" in sys.modules:  # it keeps the locks it finds at import, and unpatched ones block every green thread
    raise ImportError("svckit.worker must be imported before pymongo and mongoengine")
eventlet.monkey_patch()

import gc
import logging
import os
import signal
import threading
from collections.abc import Sequence
from typing import Any

from eventlet import wsgi
from nameko.runners import ServiceRunner

from svckit import logs, telemetry
from svckit.config import Settings
from svckit.greenlink import GreenLink
from svckit.schema import ensure_schema_patiently
from svckit.topology import EXCHANGE

_log = logging.getLogger(__name__)
# A handler holds one nameko worker while it runs a batch; there must never be fewer than handlers.
_MOST_HANDLERS = 100


def run_worker(
    *,
    service: str,
    settings: Settings,
    documents: Sequence[type[Any]],
    worker: type[Any],
    exchange: str = EXCHANGE,
    health_port: int | None = None,
) -> None:
    """Runs the worker process until SIGTERM or SIGINT.

    `documents` are the mongoengine classes whose indexes are ensured first; `worker` is the nameko service class, whose `retired`
    names handlers of earlier versions: their queues are deleted, or they would fill without end. `health_port`
    (default: BINGLIAN_HEALTH_PORT, 0 for none) answers GET /healthz on BINGLIAN_HEALTH_HOST (default: all interfaces): 200 while the
    broker is connected, else 503.
    """
    logs.setup(service=service, level=settings.log_level, show_values=settings.log_values)
    # What a handler raises is told by the bus, once and without personal data.
    logging.getLogger("nameko.containers").setLevel(logging.CRITICAL)
    stop_telemetry = telemetry.setup(service=service, endpoint=settings.otlp_endpoint)
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: eventlet.spawn_n(stopping.set))
    database = settings.mongo_database or f"binglian_{service}"
    schema = eventlet.spawn(ensure_schema_patiently, uri=settings.mongo_uri, database=database, documents=documents)
    runner = _runner(service=service, settings=settings, database=database, exchange=exchange, worker=worker)
    _serve_health(health_port if health_port is not None else int(os.environ.get("BINGLIAN_HEALTH_PORT", "0")), runner)
    try:
        _run(runner, schema, stopping)
    finally:
        stop_telemetry()


def _runner(*, service: str, settings: Settings, database: str, exchange: str, worker: type[Any]) -> Any:
    config = {
        "AMQP_URI": settings.amqp_uri,
        "MONGO_URI": settings.mongo_uri,
        "MONGO_DATABASE": database,
        "SERVICE": service,
        "EXCHANGE": exchange,
        "max_workers": _MOST_HANDLERS,
    }
    if retired := getattr(worker, "retired", ()):
        config["RETIRED"] = retired
    runner = ServiceRunner(config)
    runner.add_service(worker)
    return runner


def _run(runner: Any, schema: Any, stopping: threading.Event) -> None:
    """Starts when the indexes are there; ends when told to, or with the error that ended a handler."""
    ready = threading.Event()
    schema.link(lambda _: ready.set())
    while not (ready.is_set() or stopping.is_set()):
        eventlet.sleep(0.05)
    if stopping.is_set():
        return
    schema.wait()
    runner.start()
    # Batches make many short-lived objects: what exists now need not be looked at again, and the rest less often.
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    _log.info("working")
    ended = eventlet.spawn(runner.wait)
    ended.link(lambda _: stopping.set())
    while not stopping.is_set():
        eventlet.sleep(0.1)
    runner.stop()
    ended.wait()
    _log.info("stopped")


def _serve_health(port: int, runner: Any) -> None:
    if not port:
        return

    def answer(environ: Any, start_response: Any) -> list[bytes]:
        healthy = environ["PATH_INFO"] == "/healthz" and all(_is_connected(container) for container in runner.containers)
        start_response("200 OK" if healthy else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if healthy else b"not connected\n"]

    host = os.environ.get("BINGLIAN_HEALTH_HOST", "0.0.0.0")
    eventlet.spawn(wsgi.server, eventlet.listen((host, port)), answer, log_output=False)


def _is_connected(container: Any) -> bool:
    return any(isinstance(extension, GreenLink) and extension.up for extension in container.extensions)
