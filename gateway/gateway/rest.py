"""Unary rpcs over REST: what is known from the descriptors is decided once per route, a request only fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.message import Message

from gateway.backend import Pick
from gateway.errors import Problem, json_path
from gateway.exchange import Exchange
from gateway.routes import parse
from gateway.schema import Binding, Rpc
from gateway.transcode import codec_of
from gateway.transcode.codec import dump
from gateway.transcode.decode import reader_of
from gateway.transcode.encode import field_writer
from gateway.transcode.query import Binder, read_query
from gateway.transcode.text import read_json
from svckit.wellknown import is_map, part_of

Metadata = list[tuple[str, str | bytes]]
_MAX_TIMEOUT = 60.0
_FORWARDED = ((b"authorization", "authorization"), (b"x-purpose", "x-purpose"), (b"tracestate", "tracestate"))


class Requests:
    """Turns HTTP requests of one route into request messages."""

    def __init__(self, rpc: Rpc, binding: Binding) -> None:
        descriptor = rpc.method.input_type
        self._codec = codec_of(descriptor)
        self._binder = Binder(descriptor)
        self._takes_body = bool(binding.body)
        self._takes_query = binding.body != "*"
        self._bound = frozenset(name for variable in parse(binding.template).variables for name in _both_names(variable.path))
        self._fill = self._filler(binding.body)

    def _filler(self, body: str) -> Callable[[Any, Any], None]:
        """The function that puts a parsed body into an empty message."""
        if body in ("", "*"):
            return self._codec.read
        field = self._codec.descriptor.fields_by_name[body]
        if field.is_repeated or field.message_type is None:
            return lambda message, data: self._codec.read(message, {body: data})
        read = reader_of(part_of(field))
        return lambda message, data: read(getattr(message, body), data)

    async def read(self, exchange: Exchange, variables: Mapping[str, str]) -> bytes:
        """Returns the request message in wire form. Raises DecodeError or Problem (413, 415)."""
        message = self._codec.new()
        if self._takes_body:
            await self._read_body(exchange, message)
        for path, value in variables.items():
            if self._takes_body and not self._binder.agrees(message, path, value):
                raise Problem(
                    400, "PATH_CONTRADICTED", f"{path} differs between the address and the body.", errors=[(path, "differs")]
                )
            self._binder.bind(message, path, (value,))
        if exchange.query:
            self._read_query(exchange.query, message)
        return message.SerializeToString()

    async def _read_body(self, exchange: Exchange, message: Message) -> None:
        check_content(exchange)
        text = await exchange.body()
        if text:
            self._fill(message, read_json(text))

    def _read_query(self, query: str, message: Message) -> None:
        parameters = read_query(query)
        if not self._takes_query:
            raise Problem(400, "INVALID_ARGUMENT", "This call takes its fields in the body, not in the query.",
                          errors=[(name, "belongs into the body") for name in parameters])  # fmt: skip
        for path, values in parameters.items():
            if path in self._bound:
                raise Problem(
                    400, "PATH_CONTRADICTED", f"{path} stands in the address already.", errors=[(path, "is given twice")]
                )
            self._binder.bind(message, path, values)


def _both_names(path: str) -> tuple[str, str]:
    return path, json_path(path)


def check_content(exchange: Exchange) -> None:
    """Raises Problem 415 for a body that is declared as something else than JSON, or compressed."""
    kind = exchange.headers.get(b"content-type", b"application/json")
    if not kind.startswith(b"application/json"):
        raise Problem(
            415, "UNSUPPORTED_MEDIA_TYPE", "The body must be application/json.", headers=((b"accept", b"application/json"),)
        )
    if exchange.headers.get(b"content-encoding", b"identity") != b"identity":
        raise Problem(
            415, "UNSUPPORTED_ENCODING", "The body must not be compressed.", headers=((b"accept-encoding", b"identity"),)
        )


class Responses:
    """Turns response messages of one route into JSON."""

    def __init__(self, rpc: Rpc, binding: Binding) -> None:
        codec = codec_of(rpc.method.output_type)
        self.parse = codec.parse
        field = codec.descriptor.fields_by_name[binding.response_body] if binding.response_body else None
        if field is not None and is_map(field):
            raise TypeError(f"{field.full_name}: a map cannot be a response body")
        self.write = codec.write if field is None else field_writer(field)

    def encode(self, data: bytes) -> bytes:
        """Returns the JSON of a response in wire form. Raises EncodeError."""
        return dump(self.write(self.parse(data)))


def check_accept(exchange: Exchange, *kinds: bytes) -> None:
    """Raises Problem 406 unless the client takes one of `kinds`."""
    accepted = exchange.headers.get(b"accept")
    if accepted is None or b"*/*" in accepted or any(kind in accepted for kind in kinds):
        return
    if any(kind.partition(b"/")[0] + b"/*" in accepted for kind in kinds):
        return
    raise Problem(406, "NOT_ACCEPTABLE", f"This answers with {' or '.join(kind.decode() for kind in kinds)}.")


def metadata_of(exchange: Exchange) -> Metadata:
    """Returns the gRPC metadata that goes along: token, purpose, trace, request id."""
    headers = exchange.headers
    entries: Metadata = [(key, _plain(key, headers[name])) for name, key in _FORWARDED if name in headers]
    entries.append(("x-request-id", exchange.request_id))
    if exchange.traceparent:
        entries.append(("traceparent", exchange.traceparent))
    return entries


def _plain(name: str, value: bytes) -> str:
    text = value.decode("latin-1")
    if text.isascii() and text.isprintable():
        return text
    raise Problem(400, "INVALID_HEADER", f"The header {name} holds characters that no header may hold.")


def timeout_of(exchange: Exchange, default: float) -> float:
    """Returns the deadline in seconds: X-Request-Timeout (at most a minute) or the default. Raises Problem 400."""
    given = exchange.headers.get(b"x-request-timeout")
    if given is None:
        return default
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise Problem(400, "INVALID_TIMEOUT", f"X-Request-Timeout must be seconds, more than 0 and at most {_MAX_TIMEOUT:.0f}.")
    return seconds


class UnaryEndpoint:
    """One REST route of a unary rpc."""

    def __init__(self, rpc: Rpc, binding: Binding, *, pick: Pick, timeout: float) -> None:
        self.rpc = rpc
        self.route = binding.template
        self._requests = Requests(rpc, binding)
        self._responses = Responses(rpc, binding)
        self._pick = pick
        self._timeout = timeout

    async def __call__(self, exchange: Exchange, variables: Mapping[str, str]) -> None:
        """Answers the exchange. Raises what `problem_of` understands."""
        check_accept(exchange, b"application/json")
        request = await self._requests.read(exchange, variables)
        timeout = timeout_of(exchange, self._timeout)
        answer = await self._pick()(request, timeout=timeout, metadata=metadata_of(exchange))
        await exchange.send_json(self._responses.encode(answer))
