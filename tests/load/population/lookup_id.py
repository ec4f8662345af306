"""`lookup_id`: a person by the number of the identity card, against a bare grpc.aio server that makes one indexed find."""

from __future__ import annotations

import itertools
import random

import grpc
from binglian.population.v1 import resident_service_pb2 as pb
from binglian.population.v1.resident_service_pb2_grpc import ResidentServiceStub

from population.seeding.columns import Columns
from population.seeding.places import blocks
from svckit.embedded import free_port
from tests.load.foundation.client import calls_per_second
from tests.load.harness import Row, compare
from tests.load.population.register import DATABASE, FIELD_KEY, Register

IN_FLIGHT, SECONDS = 16, 6.0
BLOCKS = 4


def run(here: Register) -> list[Row]:
    """Lookups a second with 16 callers, of people all over the register."""
    numbers = _numbers(here.residents)
    caller = here.caller("P01", role="COMM_CLERK")
    port = free_port()
    process = here.stack.floor(
        "lookup", "--port", str(port), "--mongo-uri", here.stack.mongo_uri, "--database", DATABASE, "--field-key", FIELD_KEY
    )
    assert process.poll() is None
    turn = itertools.count()

    async def ours(channel: grpc.aio.Channel, _number: int) -> None:
        request = pb.FindResidentsRequest(id_number=numbers[next(turn) % len(numbers)])
        answer = await ResidentServiceStub(channel).FindResidents(request, metadata=caller)
        assert len(answer.residents) == 1, "everybody is found"

    async def bare(channel: grpc.aio.Channel, _number: int) -> None:
        answer = await channel.unary_unary("/floor/Find")(numbers[next(turn) % len(numbers)].encode())
        assert answer, "everybody is found"

    row = compare(
        "lookup_id",
        ours=lambda: calls_per_second(here.address, ours, in_flight=IN_FLIGHT, seconds=SECONDS),
        floor=lambda: calls_per_second(f"127.0.0.1:{port}", bare, in_flight=IN_FLIGHT, seconds=SECONDS),
        unit="lookups/s",
        target=0.6,
        note="floor: grpc.aio with one pymongo find",
    )
    return [row]


def _numbers(residents: int) -> list[str]:
    """Identity numbers of made-up people, made again."""
    chosen = random.Random(2).sample(blocks(residents), min(BLOCKS, len(blocks(residents))))
    found: list[str] = []
    for block in chosen:
        columns = Columns(block)
        found += columns.id_numbers[columns.has_number].tolist()[:5_000]
    random.Random(3).shuffle(found)
    return found
