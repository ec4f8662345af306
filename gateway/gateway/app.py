"""The ASGI application: finds the route of a request, runs it, turns every failure into a problem."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from gateway.errors import problem_of
from gateway.exchange import ClientGone, Exchange, Receive, Scope, Send
from gateway.observe import Recorder
from gateway.routes import Match, Router, UnknownPath, WrongMethod

_log = logging.getLogger(__name__)

Handler = Callable[[Exchange, Mapping[str, str]], Awaitable[None]]
CLIENT_GONE = 499


@dataclass(frozen=True, slots=True)
class Target:
    """What a route leads to. `attributes` describe it in traces; pages and probes are not worth a trace."""

    route: str
    handle: Handler
    attributes: Mapping[str, str] = field(default_factory=dict)
    traced: bool = True


class Gateway:
    """Routes requests. `admit` sees each before its handler and may raise; `pages` answers what has no route."""

    def __init__(
        self,
        *,
        router: Router[Target],
        recorder: Recorder,
        admit: Callable[[Exchange], Awaitable[None] | None],
        pages: Handler,
        body_limit: int,
        body_seconds: float,
    ) -> None:
        self._router = router
        self._recorder = recorder
        self._admit = admit
        self._pages = Target("/{page}", pages, traced=False)
        self._body_limit = body_limit
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI http connection scope."""
        exchange = Exchange(scope, receive, send, body_limit=self._body_limit, body_seconds=self._body_seconds)
        try:
            match = self._find(exchange)
            target = match.target
            exchange.route = target.route
            self._recorder.begin(exchange, target.attributes if target.traced else None)
            pending = self._admit(exchange)
            if pending is not None:
                await pending
            await target.handle(exchange, match.variables)
        except ClientGone:
            exchange.status = CLIENT_GONE
        except Exception as error:
            await self._refuse(exchange, error)
        finally:
            self._recorder.end(exchange)

    def _find(self, exchange: Exchange) -> Match[Target]:
        method = "GET" if exchange.method == "HEAD" else exchange.method
        try:
            return self._router.find(method, exchange.path)
        except UnknownPath:
            if method != "GET":
                raise
            return Match(self._pages, {})
        except WrongMethod as wrong:
            if method != "OPTIONS":
                raise
            return Match(Target("*", _allow(wrong.allowed), traced=False), {})

    async def _refuse(self, exchange: Exchange, error: Exception) -> None:
        problem = problem_of(error)
        if exchange.started:
            # Too late for an error response: the connection is cut, so that nobody takes half an answer for a whole one.
            _log.error("an answer broke off", exc_info=error)
            raise error
        await exchange.send_problem(problem)


def _allow(allowed: tuple[str, ...]) -> Handler:
    async def answer(exchange: Exchange, _: Mapping[str, str]) -> None:
        await exchange.send_nothing(((b"allow", ", ".join((*allowed, "OPTIONS")).encode()),))

    return answer
