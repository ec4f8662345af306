"""Where messages arrive in tests: an HTTP server and an SMTP server of ours that keep what they get and answer as told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

from svckit.embedded import free_port


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpSink:
    """Keeps requests; answers `answers[path]`, or 200: (status, body). `delay` seconds pass before each answer."""

    port: int = 0
    requests: list[Request] = field(default_factory=list)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    delay: float = 0.0

    @property
    def host(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}"

    def at(self, path: str) -> list[Request]:
        """What came to a path, oldest first."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]


@contextlib.contextmanager
def http_sink() -> Iterator[HttpSink]:
    """A running HTTP sink."""
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            sink.requests.append(Request(self.command, self.path, headers, body))
            time.sleep(sink.delay)
            status, answer = sink.answers.get(self.path.partition("?")[0], (200, b"{}"))
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                if 300 <= status < 400:
                    self.send_header("Location", sink.url + "/elsewhere")
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_POST = _take

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    sink.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class MailSink:
    """Keeps mails; refuses recipients by the answer in `refused`."""

    port: int = 0
    mails: list[tuple[list[str], Message]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        """Called by aiosmtpd."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Called by aiosmtpd."""
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"


@contextlib.contextmanager
def mail_sink() -> Iterator[MailSink]:
    """A running SMTP sink."""
    sink = MailSink(port=free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()
