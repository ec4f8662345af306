"""Connections to the gRPC services. Messages pass as bytes: the codecs have made them already."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

Call = Callable[..., Any]
Pick = Callable[[], Call]

_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                # Safe for mutations too: each carries a request_id, so a repeated one changes nothing.
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
    }
)
_OPTIONS = (
    ("grpc.service_config", _SERVICE_CONFIG),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
    # Channels of one pool must not share their connection: a service's processes share its port, and the kernel gives each
    # connection to one of them.
    ("grpc.use_local_subchannel_pool", 1),
)


class Backends:
    """A few connections per service, used in turn. Make it inside the running loop."""

    def __init__(self, *, address_of: Callable[[str], str], connections: int) -> None:
        self._address_of = address_of
        self._connections = connections
        self._pools: dict[str, list[grpc.aio.Channel]] = {}

    def _pool(self, service: str) -> list[grpc.aio.Channel]:
        pool = self._pools.get(service)
        if pool is None:
            address = self._address_of(service)
            pool = [grpc.aio.insecure_channel(address, options=_OPTIONS) for _ in range(self._connections)]
            self._pools[service] = pool
        return pool

    def unary(self, service: str, path: str) -> Pick:
        """Returns the function that gives the next connection's callable of a unary rpc: `await pick()(data, timeout=…)`."""
        return _in_turn(channel.unary_unary(path, None, None) for channel in self._pool(service))

    def stream(self, service: str, path: str) -> Pick:
        """Returns the function that gives the next connection's callable of a server-streaming rpc."""
        return _in_turn(channel.unary_stream(path, None, None) for channel in self._pool(service))

    async def health(self, timeout: float = 1.0) -> dict[str, str]:
        """Asks every service's standard health rpc; returns "SERVING" or what is wrong by service."""
        names = sorted(self._pools)
        answers = await asyncio.gather(*(self._health(name, timeout) for name in names))
        return dict(zip(names, answers, strict=True))

    async def _health(self, service: str, timeout: float) -> str:
        check = self._pools[service][0].unary_unary(
            "/grpc.health.v1.Health/Check", None, health_pb2.HealthCheckResponse.FromString
        )
        try:
            answer: Any = await check(b"", timeout=timeout)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    async def close(self) -> None:
        """Closes all connections; running calls get a second to end."""
        pools = [channel for pool in self._pools.values() for channel in pool]
        await asyncio.gather(*(channel.close(1) for channel in pools))


def _in_turn(calls: Iterable[Call]) -> Pick:
    return itertools.cycle(list(calls)).__next__
