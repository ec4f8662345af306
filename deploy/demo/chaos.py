"""`kill -9` for a process of the local stack every few seconds; the process manager starts it again."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Callable, Sequence

from deploy.local.layout import Layout
from deploy.local.supervise import process_states

EVERY_SECONDS = 5.0


async def rage(layout: Layout, tell: Callable[[str], None], *, victims: Sequence[str], seed: int) -> None:
    """Kills the named processes one after the other, or, when none is named, random ones until it is cancelled.

    Spares nothing but the process manager. The seed makes the order of random victims repeatable.
    """
    for name in victims:
        while not await _kill(layout, tell, name):
            pass
    chance = random.Random(seed)
    while not victims:
        await _kill(layout, tell, chance.choice(sorted(await _alive(layout)) or [""]))


async def _kill(layout: Layout, tell: Callable[[str], None], name: str) -> bool:
    """Waits and kills; False when the process is down just now."""
    await asyncio.sleep(EVERY_SECONDS)
    pid = (await _alive(layout)).get(name)
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        tell(f"kill -9 {name}")
    return True


async def _alive(layout: Layout) -> dict[str, int]:
    return {state.name: state.pid for state in await asyncio.to_thread(process_states, layout) or () if state.pid}
