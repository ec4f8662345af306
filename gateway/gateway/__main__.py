"""`python -m gateway` serves; `python -m gateway rotate-keys` makes a new signing key."""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from pymongo import AsyncMongoClient

from gateway.auth.keys import SigningKeys
from gateway.config import GatewaySettings
from gateway.server import load_settings
from svckit.config import ConfigError

# Longer than the edge keeps idle connections, so that it is never handed one we are just closing.
_KEEP_ALIVE_SECONDS = 120


def serve(settings: GatewaySettings) -> None:
    """Runs the ASGI server in one process or several (BINGLIAN_GATEWAY_WORKERS) on one port."""
    uvicorn.run(
        "gateway.server:app",
        host=settings.http_host,
        port=settings.http_port,
        workers=settings.gateway_workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=int(settings.drain_seconds),
    )


async def rotate_keys(settings: GatewaySettings) -> str:
    """Adds a signing key; every process uses it within a minute. Returns its id."""
    client: AsyncMongoClient = AsyncMongoClient(settings.mongo_uri, tz_aware=True, w="majority")
    try:
        return await SigningKeys(client[settings.gateway_database]).rotate()
    finally:
        await client.close()


def main(arguments: list[str]) -> int:
    """Returns the exit code: 2 for a wrong configuration or command."""
    try:
        settings = load_settings()
    except ConfigError as error:
        print(f"gateway: {error}", file=sys.stderr)  # noqa: T201
        return 2
    if arguments == ["rotate-keys"]:
        print(asyncio.run(rotate_keys(settings)))  # noqa: T201
    elif arguments:
        print(f"gateway: unknown command {arguments[0]!r}; there is `rotate-keys`", file=sys.stderr)  # noqa: T201
        return 2
    else:
        serve(settings)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
