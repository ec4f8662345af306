"""`kill -9` for a random process of the local stack every few seconds; the process manager starts it again."""

import asyncio
import os
import random
import signal
from collections.abc import Callable

from deploy.local.control import running

EVERY_SECONDS = 5.0


async def rage(tell: Callable[[str], None], *, seed: int) -> None:
    """Kills until it is cancelled; spares nothing but the process manager."""
    chance = random.Random(seed)  # noqa: S311 – which process dies is no secret
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        processes = await asyncio.to_thread(running)
        if not processes:
            continue
        name = chance.choice(sorted(processes))
        try:
            os.kill(processes[name], signal.SIGKILL)
        except ProcessLookupError:
            continue
        tell(f"kill -9 {name}")
