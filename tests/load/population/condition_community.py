"""`condition_community`: a combined condition in one community, count and first page, against bare indexed pymongo."""

from __future__ import annotations

import itertools
from typing import Any

from binglian.population.v1 import question_service_pb2 as pb

from svckit.paging import code_range
from tests.load.harness import Row, compare
from tests.load.population.register import Register, median_ms, years_ago

FILTER = "age >= 60 AND floor >= 3 AND lift = false"
TIMES = 60


def run(here: Register) -> list[Row]:
    """Median of one caller, one community after the other."""
    communities = itertools.cycle(here.communities(50))
    caller = here.caller("P01", role="COMM_CLERK")
    stored = here.stored
    wanted: dict[str, Any] = {
        "standing": None,
        "birth_date": {"$gt": "", "$lte": years_ago(60).isoformat()},
        "living.floor": {"$gte": 3},
        "living.lift": False,
    }

    def ours() -> None:
        request = pb.FindPeopleRequest(filter=FILTER, area_prefix=next(communities))
        assert here.questions.FindPeople(request, metadata=caller).total_size > 50

    def bare() -> None:
        query = {"area_code": code_range(next(communities)), **wanted}
        page = stored.find(query).sort([("area_code", 1), ("_id", 1)]).limit(50).to_list()
        assert stored.count_documents(query) > 50
        assert len(page) == 50

    row = compare(
        "condition_community",
        ours=lambda: median_ms(ours, times=TIMES),
        floor=lambda: median_ms(bare, times=TIMES),
        unit="ms",
        target=0.6,
        lower_is_better=True,
        note="count and first page; floor: bare indexed pymongo",
    )
    return [row]
