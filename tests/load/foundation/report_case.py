"""`report_case`: reporting a case through gRPC against a bare handler that makes the same write with group commit."""

import grpc
from binglian.mediation.v1.case_service_pb2_grpc import CaseServiceStub

from svckit.embedded import free_port
from tests.load.asked import a_report
from tests.load.foundation.client import calls_per_second
from tests.load.harness import Row, compare
from tests.load.stack import Stack

IN_FLIGHT, SECONDS = 32, 6.0


def run(stack: Stack, address: str) -> Row:
    """Measures and returns the row."""
    port = free_port()
    stack.floor("grpc_floor", "--port", str(port), "--mongo-uri", stack.mongo_uri, "--database", "floor")
    metadata = (("authorization", f"Bearer {stack.token('worker', ['GRID_WORKER'])}"),)

    async def ours(channel: grpc.aio.Channel, _number: int) -> None:
        await CaseServiceStub(channel).ReportCase(a_report(), metadata=metadata)

    async def floor(channel: grpc.aio.Channel, _number: int) -> None:
        await channel.unary_unary("/floor/Report")(a_report().SerializeToString(), metadata=metadata)

    def reported() -> float:
        rate = calls_per_second(address, ours, in_flight=IN_FLIGHT, seconds=SECONDS)
        stack.settle()
        return rate

    return compare(
        "report_case",
        ours=reported,
        floor=lambda: calls_per_second(f"127.0.0.1:{port}", floor, in_flight=IN_FLIGHT, seconds=SECONDS),
        unit="cases/s",
        target=0.6,
    )
