"""`kill -9` for a random process of the local stack every few seconds; the process manager starts it again."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Callable

from deploy.local.layout import Layout
from deploy.local.supervise import process_states

EVERY_SECONDS = 5.0


async def rage(layout: Layout, tell: Callable[[str], None], *, seed: int) -> None:
    """Kills until it is cancelled; spares nothing but the process manager. The seed makes the order of victims repeatable."""
    chance = random.Random(seed)
    while True:
        await asyncio.sleep(EVERY_SECONDS)
        alive = {state.name: state.pid for state in await asyncio.to_thread(process_states, layout) or () if state.pid}
        if not alive:
            continue
        name = chance.choice(sorted(alive))
        with contextlib.suppress(ProcessLookupError):
            os.kill(alive[name], signal.SIGKILL)
            tell(f"kill -9 {name}")
