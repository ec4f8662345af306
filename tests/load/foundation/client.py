"""Drives a gRPC server with a fixed number of calls in flight and counts."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import grpc
import uvloop

WARM_UP_SECONDS = 1.0


def calls_per_second(
    address: str, once: Callable[[grpc.aio.Channel, int], Awaitable[None]], *, in_flight: int, seconds: float
) -> float:
    """Calls `once(channel, number)` with `in_flight` callers for `seconds` after a short warm-up; returns finished calls a second."""
    return uvloop.run(_drive(address, once, in_flight, seconds))


async def _drive(
    address: str, once: Callable[[grpc.aio.Channel, int], Awaitable[None]], in_flight: int, seconds: float
) -> float:
    async with grpc.aio.insecure_channel(address) as channel:
        begin = time.monotonic() + WARM_UP_SECONDS
        end = begin + seconds
        finished = 0

        async def caller(lane: int) -> None:
            nonlocal finished
            number = lane
            while time.monotonic() < end:
                await once(channel, number)
                number += in_flight
                finished += begin <= time.monotonic() < end

        await asyncio.gather(*(caller(lane) for lane in range(in_flight)))
        return finished / seconds
