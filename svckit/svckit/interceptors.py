"""What happens around every rpc of ours: tracing, error mapping, authentication, access, validation, handler, masking.

Each concern is a small function; `Pipeline.wrap` composes them into one coroutine per rpc when the service is registered, with
everything that can be known from the descriptors decided there. (A chain of grpc.aio interceptors costs a layer of coroutines and
a lookup per concern and call.)
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from binglian.options.v1 import options_pb2
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from opentelemetry.trace import Span, SpanKind

from svckit import telemetry
from svckit.access import Caller, maybe_caller, set_caller, strayed
from svckit.admission import Admit, admission_of, is_public
from svckit.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, ServiceError, Unavailable
from svckit.guarding import Guard, Guarded
from svckit.masking import masker_of
from svckit.purposes import WITHOUT_PURPOSE, level_for
from svckit.statuses import DETAILS_KEY, DOMAIN, as_service_error, code_of, details_of, serialize_status
from svckit.tokens import TokenVerifier
from svckit.validation import validator_of

_log = logging.getLogger(__name__)
_SHORTEST_STREAM_S = 1.0
_SHOWN = (options_pb2.SENSITIVITY_L1, options_pb2.SENSITIVITY_L2, options_pb2.SENSITIVITY_L3)
MOST_STREAMS = 500
"""Streams one subject may hold open in one process; a client that forgets to close its own must not take everybody's."""
LONGEST_SILENCE_S = 60.0
"""How long a client that streams requests may pause; who vanished must not hold a place for ever."""
_OURS = frozenset(("UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"))


@dataclass(frozen=True, slots=True)
class Rpc:
    """All that is known about one rpc before it is called."""

    name: str  # "binglian.mediation.v1.CaseService/GetCase"
    attributes: dict[str, str]
    public: bool
    parse: Callable[[bytes], Message]
    admit: Admit
    validate: Callable[[Message], None]
    masks: dict[int, Callable[[Message], Message] | None]  # by the highest sensitivity that is shown
    guard: Guarded | None = None


def describe(method: MethodDescriptor, guard: Guard | None = None) -> Rpc:
    """Reads everything about an rpc from its descriptor; compiles its rules."""
    request = message_factory.GetMessageClass(method.input_type)
    name = f"{method.containing_service.full_name}/{method.name}"
    return Rpc(
        name=name,
        attributes={"rpc.system.name": "grpc", "rpc.method": name},
        public=is_public(method),
        parse=request.FromString,
        admit=admission_of(method),
        validate=validator_of(request),
        masks={level: masker_of(method.output_type, hides=level + 1) for level in _SHOWN},
        guard=guard.of(method) if guard else None,
    )


@dataclass(slots=True)
class Headers:
    """The metadata entries that mean something here."""

    authorization: str = ""
    traceparent: str = ""
    purpose: str = ""


def read_headers(context: Any) -> Headers:
    """Picks our entries out of the invocation metadata."""
    headers = Headers()
    for key, value in context.invocation_metadata():
        if key == "authorization":
            headers.authorization = value
        elif key == "traceparent":
            headers.traceparent = value
        elif key == "x-purpose":
            headers.purpose = value
    return headers


async def tell_if_strayed(guard: Guarded, request: Any, error: BaseException) -> None:
    """Tells the guard when a call is refused that reached outside its caller's area."""
    caller = maybe_caller()
    refused = isinstance(error, NotFound | PermissionDenied)
    # A decision may have been made in another task, which has its own variables: its error says so.
    if caller is not None and refused and (strayed() or getattr(error, "reason", "") == "AREA_NOT_ALLOWED"):
        await guard.strayed(caller, request)


class Pipeline:
    """Wraps handlers; holds what the wrapped handlers share: the token verifier, the metrics, the running streams."""

    def __init__(self, *, verifier: TokenVerifier, guard: Guard | None = None) -> None:
        self._verifier = verifier
        self._guard = guard
        self._streams: set[asyncio.Task[Any]] = set()
        self._held: Counter[str] = Counter()
        self._draining = False
        self._record = telemetry.duration_histogram("rpc.server.call.duration", description="Duration of incoming calls.")

    def wrap(self, *, method: MethodDescriptor, handler: Any) -> Any:
        """Returns the handler with everything around it. Takes `async def` handlers: unary, generators for streams, or of a
        stream of requests that ends in one answer.

        Raises TypeError for other kinds: nothing here streams both ways.
        """
        if inspect.iscoroutinefunction(handler.unary_unary):
            call = self._unary(describe(method, self._guard), handler.unary_unary)
            return grpc.unary_unary_rpc_method_handler(call, None, handler.response_serializer)
        if inspect.isasyncgenfunction(handler.unary_stream):
            stream = self._stream(describe(method, self._guard), handler.unary_stream)
            return grpc.unary_stream_rpc_method_handler(stream, None, handler.response_serializer)
        if inspect.iscoroutinefunction(handler.stream_unary):
            taking = self._taking(describe(method, self._guard), handler.stream_unary)
            return grpc.stream_unary_rpc_method_handler(taking, None, handler.response_serializer)
        raise TypeError(f"{method.full_name} must be an `async def` with one request or one answer")

    def end_streams(self) -> None:
        """Ends the running streams with UNAVAILABLE, so that their clients go on with another process."""
        self._draining = True
        for task in self._streams:
            task.cancel()

    def _unary(self, rpc: Rpc, handler: Callable[[Any, Any], Awaitable[Any]]) -> Callable[[bytes, Any], Awaitable[Any]]:
        async def call(data: bytes, context: Any) -> Any:
            headers = read_headers(context)
            begun, span = telemetry.clock(), open_span(rpc, headers.traceparent)
            code = "OK"
            failure = ""
            request = None
            try:
                caller = await self._caller(rpc, headers)
                rpc.admit(caller)
                request = parse_valid(rpc, data)
                if rpc.guard is None or caller is None:
                    return show(rpc, caller, await handler(request, context))
                rpc.guard.check(caller, request)
                response = await rpc.guard.shown(caller, request, await handler(request, context))
                return show(rpc, caller, response)
            except BaseException as error:
                code, failure = outcome(error, context), type(error).__qualname__
                if rpc.guard is not None:
                    await tell_if_strayed(rpc.guard, request, error)
                await answer(rpc, error, context)
            finally:
                self._close(rpc, begun, span, code, failure)

        return call

    def _stream(
        self, rpc: Rpc, handler: Callable[[Any, Any], AsyncIterator[Any]]
    ) -> Callable[[bytes, Any], AsyncIterator[Any]]:
        async def stream(data: bytes, context: Any) -> AsyncIterator[Any]:
            headers = read_headers(context)
            begun, span = telemetry.clock(), open_span(rpc, headers.traceparent)
            code = "OK"
            failure = ""
            request = None
            try:
                caller = await self._caller(rpc, headers)
                rpc.admit(caller)
                request = parse_valid(rpc, data)
                if rpc.guard is not None and caller is not None:
                    rpc.guard.check(caller, request)
                # Tells the client at once that the stream is up; the first message may be hours away.
                await context.send_initial_metadata(())
                with self._counted(caller), self._running(caller):
                    async with contextlib.aclosing(handler(request, context)) as responses:  # type: ignore[type-var]
                        async for response in responses:
                            if rpc.guard is not None and caller is not None:
                                response = await rpc.guard.shown(caller, request, response)
                            yield show(rpc, caller, response)
            except GeneratorExit:
                raise
            except BaseException as error:
                code, failure = outcome(error, context), type(error).__qualname__
                if rpc.guard is not None:
                    await tell_if_strayed(rpc.guard, request, error)
                await answer(rpc, error, context)
            finally:
                self._close(rpc, begun, span, code, failure)

        return stream

    def _taking(
        self, rpc: Rpc, handler: Callable[[AsyncIterator[Any], Any], Awaitable[Any]]
    ) -> Callable[[AsyncIterator[bytes], Any], Awaitable[Any]]:
        async def call(incoming: AsyncIterator[bytes], context: Any) -> Any:
            headers = read_headers(context)
            begun, span = telemetry.clock(), open_span(rpc, headers.traceparent)
            code = "OK"
            failure = ""
            try:
                caller = await self._caller(rpc, headers)
                rpc.admit(caller)
                with self._counted(caller), self._running(caller):
                    response = await handler(valid_messages(rpc, caller, incoming), context)
                if rpc.guard is not None and caller is not None:
                    response = await rpc.guard.shown(caller, None, response)
                return show(rpc, caller, response)
            except BaseException as error:
                code, failure = outcome(error, context), type(error).__qualname__
                if rpc.guard is not None:
                    await tell_if_strayed(rpc.guard, None, error)
                await answer(rpc, error, context)
            finally:
                self._close(rpc, begun, span, code, failure)

        return call

    @contextlib.contextmanager
    def _counted(self, caller: Caller | None) -> Any:
        """Raises FailedPrecondition (TOO_MANY_STREAMS) when the subject holds as many streams as it may."""
        subject = caller.subject if caller else ""
        if self._held[subject] >= MOST_STREAMS:
            raise FailedPrecondition(f"You hold {MOST_STREAMS} streams open already.", reason="TOO_MANY_STREAMS")
        self._held[subject] += 1
        try:
            yield
        finally:
            self._held[subject] -= 1
            if not self._held[subject]:
                del self._held[subject]

    @contextlib.contextmanager
    def _running(self, caller: Caller | None) -> Any:
        """Keeps the stream's task where `end_streams` finds it, and ends it with the caller's token; says Unavailable for both."""
        task = asyncio.current_task()
        assert task is not None
        self._streams.add(task)
        expiry = _cancel_at_expiry(task, caller)
        try:
            yield
        except asyncio.CancelledError:
            if self._draining:
                ending = Unavailable("This server is shutting down; ask again.", reason="SHUTTING_DOWN")
            elif expiry and expiry.when() <= asyncio.get_running_loop().time():
                ending = Unavailable("The token of this stream has expired; ask again with a new one.", reason="TOKEN_EXPIRED")
            else:
                raise
            task.uncancel()
            raise ending from None
        finally:
            self._streams.discard(task)
            if expiry:
                expiry.cancel()

    async def _caller(self, rpc: Rpc, headers: Headers) -> Caller | None:
        """Authenticates; the caller becomes the current one. None only where a public rpc is called without a valid token."""
        if rpc.public and not headers.authorization:
            return None
        caller = self._verifier.remembered(headers.authorization, headers.purpose)
        if caller is None:
            try:
                caller = await self._verifier.verify(headers.authorization, headers.purpose)
            except ServiceError:
                if rpc.public:
                    return None
                raise
        set_caller(caller, authorization=headers.authorization)
        return caller

    def _close(self, rpc: Rpc, begun: float, span: Span | None, code: str, failure: str) -> None:
        if span:
            span.set_attribute("rpc.response.status_code", code)
            if failure and code in _OURS:
                telemetry.fail_as(span, failure)
            span.end()
        self._record(telemetry.clock() - begun, {**rpc.attributes, "rpc.response.status_code": code})


def _cancel_at_expiry(task: asyncio.Task[Any], caller: Caller | None) -> asyncio.TimerHandle | None:
    """Who may look can be taken away only by not renewing a token, so no stream outlives its own (nor begins to flap before)."""
    if caller is None or caller.expires_at == math.inf:
        return None
    seconds = max(caller.expires_at - time.time(), _SHORTEST_STREAM_S)
    return asyncio.get_running_loop().call_later(seconds, task.cancel)


def open_span(rpc: Rpc, traceparent: str) -> Span | None:
    """Starts the server span and makes it the running one; without recording, the caller's trace is just passed on."""
    parent = telemetry.remote_context(traceparent)
    span = telemetry.start(name=rpc.name, kind=SpanKind.SERVER, parent=parent, attributes=rpc.attributes)
    if span:
        telemetry.attach(telemetry.entered(span))
    elif traceparent:
        telemetry.attach(parent)
    return span


def parse_valid(rpc: Rpc, data: bytes) -> Message:
    """Returns the request. Raises InvalidArgument for bytes that are no such message and for broken rules."""
    try:
        request = rpc.parse(data)
    except DecodeError as error:
        raise InvalidArgument("The request is not a message of the expected type.", reason="MALFORMED_MESSAGE") from error
    rpc.validate(request)
    return request


async def valid_messages(rpc: Rpc, caller: Caller | None, incoming: AsyncIterator[bytes]) -> AsyncIterator[Message]:
    """Yields the requests of a client's stream. Raises as `parse_valid` and the guard, naming which message was wrong (`messages[17].…`),
    and FailedPrecondition (STREAM_SILENT) when the client says nothing for LONGEST_SILENCE_S while more was expected.
    """
    number = 0
    while True:
        try:
            async with asyncio.timeout(LONGEST_SILENCE_S):
                data = await anext(incoming)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise FailedPrecondition(
                f"Nothing came for {LONGEST_SILENCE_S:.0f} seconds; send it again.", reason="STREAM_SILENT"
            ) from None
        try:
            message = parse_valid(rpc, data)
            if rpc.guard is not None and caller is not None:
                rpc.guard.check(caller, message)
        except InvalidArgument as error:
            raise _in_stream(error, number) from error
        yield message
        number += 1


def _in_stream(error: InvalidArgument, number: int) -> InvalidArgument:
    """Says in which message of a stream something was wrong."""
    place = f"messages[{number}]"
    told = error.violations or ((error.field, error.message),)
    violations = tuple((f"{place}.{field}" if field else place, text) for field, text in told)
    return InvalidArgument(
        f"Message {number} of the stream: {error.message}", reason=error.reason, field=violations[0][0], violations=violations
    )


def show(rpc: Rpc, caller: Caller | None, response: Message) -> Message:
    """Returns the response as this caller may see it: what is more sensitive than the stated purpose allows is masked.

    What is restricted (L4) no purpose shows: it is for the service that keeps it to decide whom it answers at all.
    """
    mask = rpc.masks[level_for(caller.purpose) if caller is not None else WITHOUT_PURPOSE]
    return mask(response) if mask else response


def outcome(error: BaseException, context: Any) -> str:
    """Returns the name of the status the call ends with."""
    if isinstance(error, asyncio.CancelledError):
        remaining = context.time_remaining()
        return "DEADLINE_EXCEEDED" if remaining is not None and remaining <= 0 else "CANCELLED"
    if isinstance(error, grpc.aio.AbortError):
        return getattr(context.code(), "name", "UNKNOWN")
    known = as_service_error(error)
    return code_of(known).name if known else "INTERNAL"


async def answer(rpc: Rpc, error: BaseException, context: Any) -> NoReturn:
    """Ends the call with the status that `error` stands for."""
    if isinstance(error, grpc.aio.AbortError | asyncio.CancelledError) or not isinstance(error, Exception):
        raise error
    known = as_service_error(error)
    if known is None:
        _log.error("%s failed", rpc.name, exc_info=error)
        await abort_internal(context)
    else:
        await context.abort(code_of(known), known.message, ((DETAILS_KEY, details_of(known)),))
    raise error  # abort never returns


async def abort_internal(context: Any) -> None:
    """Says no more than that it was our fault, and under which trace it can be found."""
    trace_id = telemetry.current_trace_id()
    text = "Something went wrong on our side."
    info = error_details_pb2.ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"trace_id": trace_id} if trace_id else {})
    details = serialize_status(grpc.StatusCode.INTERNAL, text, info)
    await context.abort(grpc.StatusCode.INTERNAL, text, ((DETAILS_KEY, details),))
