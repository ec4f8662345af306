"""What a watcher is told, without a broker."""

from __future__ import annotations

from svckit import live
from svckit.live import Watch


async def test_changes_of_one_aggregate_are_told_once() -> None:
    watch = Watch()
    for id in ("a", "b", "a"):
        watch.add(id)
    assert await watch.wait(timeout=1) == {"a", "b"}
    assert await watch.wait(timeout=0.01) is None


async def test_a_watcher_that_never_looks_does_not_pile_up_ids() -> None:
    watch = Watch()
    for number in range(3 * live._MOST_IDS):
        watch.add(str(number))
    assert len(watch._ids) <= live._MOST_IDS
    assert await watch.wait(timeout=1) == frozenset(), "read everything again"
    watch.add("a")
    assert await watch.wait(timeout=1) == {"a"}
