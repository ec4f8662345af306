"""A TCP proxy that breaks connections at the worst moments."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Proxy:
    """Listens on a port of its own and forwards to `host:port` of `uri`; `cut` ends what is open, `away` refuses what comes."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        parts = urlsplit(uri)
        self._target = (parts.hostname or "127.0.0.1", parts.port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.away = False
        self.connections = 0
        self.swallowed = 0
        self._swallow: list[bytes] = []
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def uri(self) -> str:
        """The URI with the address of the proxy."""
        return self._uri.replace(f"{self._target[0]}:{self._target[1]}", f"127.0.0.1:{self.port}")

    def cut(self) -> None:
        """Resets all connections."""
        with self._lock:
            sockets, self._open = self._open, set()
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def swallow_reply(self, pattern: bytes, *, times: int = 1) -> None:
        """The next `times` requests that contain `pattern` reach the server, but the connection breaks before the reply."""
        self._swallow += [pattern] * times

    def close(self) -> None:
        """Ends everything."""
        self.away = True
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.away:
                    client.close()
                    continue
                self.connections += 1
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        with self._lock:
            self._open |= {client, server}
        doomed = threading.Event()
        threading.Thread(target=self._pump, args=(client, server, doomed, True), daemon=True).start()
        threading.Thread(target=self._pump, args=(server, client, doomed, False), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, doomed: threading.Event, requests: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if requests and self._swallow and self._swallow[0] in data:
                    self._swallow.pop(0)
                    doomed.set()
                if not requests and doomed.is_set():
                    self.swallowed += 1
                    break
                sink.sendall(data)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
