"""Random dispatches with dependencies, and the join policies in other words. Pure."""

from __future__ import annotations

from hypothesis import strategies as st

from mediation.domain import (
    Case,
    JoinPolicy,
)

from .builders import DEPARTMENTS, dispatched


def joined_in_words(case: Case) -> bool:
    """The join policy, written down a second time as the source words it."""
    live = [task for task in case.tasks if task.state != "removed"]
    done = [task for task in live if task.state == "done"]
    joints = [task for task in live if task.role == "joint"]
    if [task for task in live if task.returns and task not in done] or not [task for task in done if task.role == "lead"]:
        return False
    if case.join_policy is JoinPolicy.ALL:
        return len(done) == len(live)
    if case.join_policy is JoinPolicy.LEAD_PLUS_MAJORITY:
        return not joints or len([task for task in joints if task in done]) > len(joints) / 2
    return True


@st.composite
def dispatches(draw: st.DrawFn, most: int = 6) -> Case:
    """A case sent to up to `most` departments that wait for each other in some order without circles."""
    codes = DEPARTMENTS[: draw(st.integers(1, most))]
    order = draw(st.permutations(codes))
    after = {
        code: draw(st.lists(st.sampled_from(order[:index]), unique=True, max_size=3)) if index else []
        for index, code in enumerate(order)
    }
    category = draw(st.sampled_from(["A0204", "D0402", "J", "B01", "L"]))
    return dispatched(*codes, after=after, join_policy=draw(st.sampled_from(JoinPolicy)), category=category)
