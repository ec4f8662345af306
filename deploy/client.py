"""How a system outside the suite talks to it: a token from the gateway, gRPC through the edge, patient retries.

Department systems may copy this file; it is what `make demo` and `make replay` use.
"""

import asyncio
import os
import time
import uuid
from typing import Any

import grpc
import httpx

EDGE = os.environ.get("BINGLIAN_EDGE") or "http://localhost:8080"
"""Public entry of the suite: REST, pages and gRPC on one port."""

AGAIN = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.UNIMPLEMENTED,  # how gRPC reads the 404 of an edge that has not loaded its routes yet
}
"""Worth another try with the same request id: the server or the way to it was gone, it is busy, or a race was lost."""

BROKEN = {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL, grpc.StatusCode.CANCELLED}
"""What gRPC says when an answer broke off on its way through the edge; a service that means one of these gives details."""
DETAILS_KEY = "grpc-status-details-bin"

BUSY = (409, 429, 499, 502, 503, 504)
"""HTTP statuses worth another try."""

CHANNEL = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
)


def request_id(*parts: object) -> str:
    """The same id for the same parts, so that a command that is sent again is not done again."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


class Session:
    """One user or department at the suite; the token is renewed before it expires."""

    def __init__(self, credentials: dict[str, str], *, edge: str = EDGE, patience: float = 90.0) -> None:
        """`credentials` are the form fields of the token endpoint; `patience` is how long (seconds) a call is tried again."""
        self._credentials = credentials
        self._patience = patience
        self._token, self._expires = "", 0.0
        self.http = httpx.AsyncClient(base_url=edge, timeout=15)
        self.channel = grpc.aio.insecure_channel(edge.removeprefix("http://"), options=CHANNEL)

    @classmethod
    def user(cls, username: str, password: str, **options: Any) -> "Session":
        """A person."""
        return cls({"grant_type": "password", "username": username, "password": password}, **options)

    @classmethod
    def system(cls, client_id: str, client_secret: str, **options: Any) -> "Session":
        """A department's system."""
        return cls({"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}, **options)

    async def token(self) -> str:
        """A token that is good for at least another minute. Raises httpx.HTTPStatusError when the credentials are wrong."""
        if time.time() > self._expires - 60:
            answer = await self._patiently(self._ask_for_token)
            self._token, self._expires = answer["access_token"], time.time() + answer["expires_in"]
        return self._token

    async def _ask_for_token(self) -> dict[str, Any]:
        response = await self.http.post("/oauth2/token", data=self._credentials)
        response.raise_for_status()
        return dict(response.json())

    def forget_token(self) -> None:
        """Makes the next call ask for a new token; for when the suite has refused the present one."""
        self._expires = 0.0

    async def metadata(self, traceparent: str = "", purpose: str = "") -> tuple[tuple[str, str], ...]:
        """gRPC metadata: the token, the trace to go on with, and what personal data are asked for (purpose_code.csv)."""
        stated = (("traceparent", traceparent), ("x-purpose", purpose))
        return (("authorization", f"Bearer {await self.token()}"), *(pair for pair in stated if pair[1]))

    async def call(self, method: Any, request: Any, *, traceparent: str = "", purpose: str = "", timeout: float = 10.0) -> Any:
        """Calls a unary rpc and tries again while the suite is out of reach. Raises grpc.aio.AioRpcError for every other error."""

        async def once() -> Any:
            metadata = await self.metadata(traceparent, purpose)
            return await method(request, metadata=metadata, timeout=timeout, wait_for_ready=True)

        return await self._patiently(once)

    async def rest(self, verb: str, path: str, body: dict[str, Any] | None = None, *, traceparent: str = "") -> dict[str, Any]:
        """Calls a REST route and tries again while the suite is out of reach. Raises httpx.HTTPStatusError for 4xx."""

        async def once() -> dict[str, Any]:
            headers = {"authorization": f"Bearer {await self.token()}"} | ({"traceparent": traceparent} if traceparent else {})
            response = await self.http.request(verb, path, json=body, headers=headers)
            response.raise_for_status()
            return dict(response.json())

        return await self._patiently(once)

    async def _patiently(self, once: Any) -> Any:
        give_up, pause = time.monotonic() + self._patience, 0.1
        while True:
            try:
                return await once()
            except (grpc.aio.AioRpcError, httpx.HTTPError) as error:
                if not worth_another_try(error) or time.monotonic() > give_up:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def close(self) -> None:
        """Closes both connections."""
        await self.http.aclose()
        await self.channel.close(None)


def worth_another_try(error: Exception) -> bool:
    """Whether the suite was out of reach, as opposed to having refused."""
    if isinstance(error, grpc.aio.AioRpcError):
        return error.code() in AGAIN or (error.code() in BROKEN and not _was_said(error))
    if isinstance(error, httpx.HTTPStatusError):
        # The suite refuses with JSON; an edge that has no routes yet answers with plain text.
        ours = error.response.headers.get("content-type", "").startswith("application/")
        return error.response.status_code in BUSY or not ours
    return isinstance(error, httpx.TransportError)


def _was_said(error: grpc.aio.AioRpcError) -> bool:
    """Whether a service said this itself, rather than the way to it."""
    trailing: Any = error.trailing_metadata() or ()
    return any(key == DETAILS_KEY for key, _ in trailing)
