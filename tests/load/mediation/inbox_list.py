"""`inbox_list`: a department's inbox among 100,000 open cases, against a bare pymongo query with the same index and page."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import grpc
from binglian.mediation.v1 import search_pb2, search_service_pb2
from binglian.mediation.v1.search_service_pb2_grpc import SearchServiceStub
from pymongo import MongoClient

from tests.load.harness import Row, compare
from tests.load.mediation import stored
from tests.load.stack import Stack

HISTORY, IN_HAND = 20_000, 100_000
GIGABYTES = 1
PAGE, PAGES = 50, 400
"""Pages of one run: each department's first ones in turn, as people open and turn them."""
DEPTH = 5


def run(stack: Stack) -> Row:
    """Measures pages a second, one after the other on both sides."""
    stored.give_memory(stack.mongo_uri, GIGABYTES)
    stored.put(stack.mongo_uri, history=HISTORY, in_hand=IN_HAND)
    address = stack.service("mediation")
    metadata = (("authorization", f"Bearer {stack.token('supervisor', ['SUPERVISION'])}"),)
    with grpc.insecure_channel(address) as channel, MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        stub = SearchServiceStub(channel)
        cases = client[stored.DATABASE]["cases"]

        def ours(department: str, token: str) -> str:
            wanted = search_pb2.TaskFilter(department=department)
            request = search_service_pb2.FindTasksRequest(filter=wanted, page_size=PAGE, page_token=token)
            answer = stub.FindTasks(request, metadata=metadata)
            assert len(answer.tasks) == PAGE, "a full page"
            return str(answer.next_page_token)

        def bare(department: str, mark: str) -> str:
            path = f"inbox.{department}"
            found = cases.find({path: {"$gt": mark}}).sort(path, 1).limit(PAGE).hint("inbox").to_list()
            assert len(found) == PAGE, "a full page"
            return str(found[-1]["inbox"][department])

        return compare(
            "inbox_list",
            ours=lambda: _pages_per_second(ours),
            floor=lambda: _pages_per_second(bare),
            unit="pages/s",
            target=0.6,
            note=f"{IN_HAND:,} open cases, pages of {PAGE}",
        )


def _pages_per_second(page: Callable[[str, str], str]) -> float:
    """Asks for pages, DEPTH of each department, after one to warm up."""
    departments = itertools.cycle(stored.DEPARTMENTS)
    page(stored.DEPARTMENTS[0], "")
    started = time.monotonic()
    for _ in range(PAGES // DEPTH):
        department, after = next(departments), ""
        for _ in range(DEPTH):
            after = page(department, after)
    return PAGES / (time.monotonic() - started)
