"""Files over HTTP: an rpc whose `response_body` is a `binglian.type.v1.FilePart` becomes a download, piece by piece or as a whole.

What goes wrong before the first piece is a plain error response; after it the connection is cut, so that nobody takes half a file
for a whole one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

from binglian.type.v1 import file_pb2
from google.protobuf import message_factory

from gateway.backend import Pick
from gateway.exchange import ClientGone, Exchange
from gateway.rest import Requests, metadata_of, timeout_of
from gateway.schema import Binding, Rpc

_PART = file_pb2.FilePart.DESCRIPTOR.full_name
_ANY = "application/octet-stream"
# A file of a whole year takes minutes; a client that stops reading holds its call no longer than this.
LONGEST_SECONDS = 900.0


def is_download(rpc: Rpc, binding: Binding) -> bool:
    """Tells whether a route answers with a file."""
    field = rpc.method.output_type.fields_by_name.get(binding.response_body)
    return bool(field and field.message_type and field.message_type.full_name == _PART)


class DownloadEndpoint:
    """One REST route that answers with a file."""

    def __init__(self, rpc: Rpc, binding: Binding, *, pick: Pick, timeout: float) -> None:
        self.rpc = rpc
        self.route = binding.template
        self._requests = Requests(rpc, binding)
        self._parse = message_factory.GetMessageClass(rpc.method.output_type).FromString
        self._field = binding.response_body
        self._pick = pick
        self._timeout = LONGEST_SECONDS if rpc.streams else timeout

    async def __call__(self, exchange: Exchange, variables: Mapping[str, str]) -> None:
        """Answers the exchange with a file. Raises what `problem_of` understands while no answer has begun."""
        request = await self._requests.read(exchange, variables)
        call = self._pick()(request, timeout=timeout_of(exchange, self._timeout), metadata=metadata_of(exchange))
        parts = self._parts(call)
        try:
            await _send(exchange, parts)
        finally:
            call.cancel()
            await parts.aclose()

    async def _parts(self, call: Any) -> Any:
        if not self.rpc.streams:
            yield self._part(await call)
            return
        async for data in call:
            yield self._part(data)

    def _part(self, data: bytes) -> file_pb2.FilePart:
        part: file_pb2.FilePart = getattr(self._parse(data), self._field)
        return part


async def _send(exchange: Exchange, parts: AsyncIterator[file_pb2.FilePart]) -> None:
    first = await anext(parts, file_pb2.FilePart())
    await exchange.start_stream(
        (first.content_type or _ANY).encode("latin-1"), ((b"content-disposition", saved_as(first.name)),)
    )
    if exchange.method == "HEAD":
        await exchange.end_stream()
        return
    gone = asyncio.ensure_future(exchange.gone())
    try:
        await exchange.send_part(first.data)
        async for part in parts:
            if gone.done():
                raise ClientGone
            await exchange.send_part(part.data)
        await exchange.end_stream()
    finally:
        gone.cancel()


def saved_as(name: str) -> bytes:
    """Returns the content-disposition of a download; names outside ASCII as RFC 6266 writes them."""
    if not name:
        return b"attachment"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}".encode()
