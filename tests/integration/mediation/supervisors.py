"""People who supervise and answer, for the integration tests of supervision."""

from __future__ import annotations

from typing import Any

from binglian.mediation.v1 import supervision_pb2, supervision_service_pb2_grpc
from binglian.mediation.v1 import supervision_service_pb2 as pb

from svckit.ids import new_id
from tests.integration.mediation.stack import Person, Stack


class Supervisor(Person):
    """Somebody who talks to SupervisionService too."""

    def __init__(self, stack: Stack, **who: Any) -> None:
        super().__init__(stack, **who)
        self.supervision: Any = supervision_service_pb2_grpc.SupervisionServiceStub(self.channel)  # type: ignore[arg-type]

    async def issue(self, case_id: str, **fields: Any) -> supervision_pb2.SupervisionOrder:
        """Issues an order."""
        given = {"demand": "请书面说明", "request_id": new_id()} | fields
        return (await self.supervision.IssueOrder(pb.IssueOrderRequest(case_id=case_id, **given))).order

    async def reply(self, order_id: str, **fields: Any) -> supervision_pb2.SupervisionOrder:
        """Replies for the own department."""
        given = {"text": "已落实", "stance": supervision_pb2.REPLY_STANCE_COMPLIED, "request_id": new_id()} | fields
        return (await self.supervision.ReplyOrder(pb.ReplyOrderRequest(order_id=order_id, **given))).order

    async def orders(self, **fields: Any) -> list[supervision_pb2.SupervisionOrder]:
        """Lists orders."""
        return list((await self.supervision.ListOrders(pb.ListOrdersRequest(**fields))).orders)

    async def escalate(self, case_id: str, **fields: Any) -> Any:
        """Lifts a case."""
        given = {"reason": "本级无力处置", "request_id": new_id()} | fields
        return (await self.supervision.EscalateCase(pb.EscalateCaseRequest(case_id=case_id, **given))).case


def street(stack: Stack, **more: Any) -> Supervisor:
    """The street centre."""
    return Supervisor(stack, **({"subject": "street", "role": "STREET_CENTER", "area": "420502001"} | more))


def city(stack: Stack, **more: Any) -> Supervisor:
    """A dispatcher of the city."""
    return Supervisor(stack, **({"subject": "city", "role": "DISPATCHER"} | more))


def fire(stack: Stack, **more: Any) -> Supervisor:
    """Somebody of the fire department."""
    return Supervisor(stack, **({"subject": "fire", "role": "DEPT_HANDLER", "department": "FIRE"} | more))
