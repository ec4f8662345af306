"""SupervisionService."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from binglian.mediation.v1 import supervision_service_pb2 as pb
from binglian.mediation.v1 import supervision_service_pb2_grpc

from mediation.domain import Case, CaseLevel
from mediation.domain.supervision import ReplyStance, SupervisionOrder
from mediation.operations import Outcome, escalating, supervision
from mediation.operations.supervision import OrderOutcome
from mediation.policies import supervision as policies
from mediation.policies.protecting import PROTECTED_CATEGORY, sees_protected
from mediation.relieved import is_order_withheld, left_by
from mediation.rpc import translate
from mediation.rpc.checking import checks_texts
from mediation.supervision_store import Document, OrderSearch, asked_for, lit, shown_to
from svckit.access import Caller, current_caller
from svckit.documents import command_of, utc_now
from svckit.errors import Conflict, ServiceError
from svckit.ids import new_id
from svckit.live import LiveFeed
from svckit.messages import to_fields, to_message
from svckit.paging import narrowed
from svckit.store import Repository

DEFAULT_PAGE = 50
# A stream looks again after so many seconds, should the feed have missed a change.
LOOK_AGAIN_SECONDS = 15.0
Verb = Callable[[SupervisionOrder, Caller], OrderOutcome]


@checks_texts
class SupervisionServicer(supervision_service_pb2_grpc.SupervisionServiceServicer):
    """What supervisors and departments do with orders, and lifting cases by hand."""

    def __init__(
        self, *, cases: Repository[Case], orders: Repository[SupervisionOrder], search: OrderSearch, live: LiveFeed
    ) -> None:
        self._cases = cases
        self._orders = orders
        self._search = search
        self._live = live

    # ----------------------------------------------------------------------------------------------------------- changing

    async def EscalateCase(self, request: Any, context: Any) -> Any:
        """Lifts a case by hand."""
        caller = current_caller()
        to_level = CaseLevel(to_fields(request).get("to_level", CaseLevel.UNSPECIFIED))

        def decide(case: Case) -> Outcome:
            translate.check_readable(case, caller, request.revision)
            now = utc_now()
            return escalating.escalate_case(case, reason=request.reason, to_level=to_level, by=caller, at=now, now=now)

        saved = await self._cases.change(request.case_id, decide, command=command_of(request, caller))
        return translate.answer(pb.EscalateCaseResponse, saved)

    async def IssueOrder(self, request: Any, context: Any) -> Any:
        """Issues an order."""
        caller = current_caller()
        command = command_of(request, caller)
        try:
            order, facts = await self._issued(request, caller)
            saved = await self._orders.create(order.order_id, order, facts, command=command)
        except ServiceError as error:
            # A repeated request gets its order even if the case would refuse another one by now.
            found = await self._orders.created(command)
            if found is None:
                raise _refusal(error) from error
            saved = found
        return to_message(pb.IssueOrderResponse, {"order": saved})

    async def _issued(self, request: Any, caller: Caller) -> OrderOutcome:
        case = await self._cases.get(request.case_id)
        translate.check_readable(case, caller)
        return supervision.issue_order(
            case,
            order_id=new_id(),
            task_id=request.task_id,
            department=request.department,
            demand=request.demand,
            reply_minutes=request.reply_minutes,
            by=caller,
            now=utc_now(),
        )

    async def ReplyOrder(self, request: Any, context: Any) -> Any:
        """Replies for the department."""
        stance = ReplyStance(to_fields(request)["stance"])
        files = translate.attachments(request.attachments, field="attachments")

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.reply_order(order, stance=stance, text=request.text, attachments=files, by=by, now=utc_now())

        return await self._change(pb.ReplyOrderResponse, request, verb)

    async def AskExtension(self, request: Any, context: Any) -> Any:
        """Asks for more time."""

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.ask_extension(order, minutes=request.minutes, reason=request.reason, by=by, now=utc_now())

        return await self._change(pb.AskExtensionResponse, request, verb)

    async def DecideExtension(self, request: Any, context: Any) -> Any:
        """Grants or refuses the extension."""

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.decide_extension(order, granted=request.granted, reason=request.reason, by=by, now=utc_now())

        return await self._change(pb.DecideExtensionResponse, request, verb)

    async def AcceptReply(self, request: Any, context: Any) -> Any:
        """Accepts the reply."""

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.accept_reply(order, remark=request.remark, by=by, now=utc_now())

        return await self._change(pb.AcceptReplyResponse, request, verb)

    async def RefuseReply(self, request: Any, context: Any) -> Any:
        """Refuses the reply."""

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.refuse_reply(order, reason=request.reason, by=by, now=utc_now())

        return await self._change(pb.RefuseReplyResponse, request, verb)

    async def WithdrawOrder(self, request: Any, context: Any) -> Any:
        """Withdraws an order."""

        def verb(order: SupervisionOrder, by: Caller) -> OrderOutcome:
            return supervision.withdraw_order(order, reason=request.reason, by=by, now=utc_now())

        return await self._change(pb.WithdrawOrderResponse, request, verb)

    async def _change(self, response: type[Any], request: Any, verb: Verb) -> Any:
        caller = current_caller()
        if caller.department and not sees_protected(caller):
            await self._visible(request.order_id)

        def decide(order: SupervisionOrder) -> OrderOutcome:
            policies.check_order_visible(_told(order), caller)
            return verb(order, caller)

        saved = await self._orders.change(request.order_id, decide, command=command_of(request, caller))
        return to_message(response, {"order": saved})

    # ------------------------------------------------------------------------------------------------- reading, watching

    async def GetOrder(self, request: Any, context: Any) -> Any:
        """Returns one order with its light as of now."""
        return to_message(pb.GetOrderResponse, {"order": await self._visible(request.order_id)})

    async def ListOrders(self, request: Any, context: Any) -> Any:
        """Returns a page of orders, newest first."""
        caller = current_caller()
        fields = to_fields(request)
        where = asked_for(
            area=narrowed(own=caller.area, wanted=request.area_prefix),
            department=policies.order_department(caller, request.department),
            case_id=request.case_id,
            states=fields["states"],
            light=fields.get("light", ""),
        )
        where |= shown_to(caller)
        found, token = await self._search.page(where, token=request.page_token, size=request.page_size or DEFAULT_PAGE)
        now = utc_now()
        orders = [lit(order, now=now) for order in await self._known(caller, found)]
        return to_message(pb.ListOrdersResponse, {"orders": orders, "next_page_token": token})

    async def WatchOrder(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Streams one order: now, and at every change."""
        async with self._live.watch(request.order_id) as changes:
            shown = 0
            while True:
                order = await self._visible(request.order_id)
                if order["revision"] > shown:
                    shown = order["revision"]
                    yield to_message(pb.WatchOrderResponse, {"order": order})
                await changes.wait(timeout=LOOK_AGAIN_SECONDS)

    async def _visible(self, order_id: str) -> Document:
        order = await self._search.one(order_id)
        if order is None or not await self._known(current_caller(), [order]):
            raise policies.OrderNotFound(f"Order {order_id} does not exist.")
        policies.check_order_visible(order, current_caller())
        return lit(order, now=utc_now())

    async def _known(self, caller: Caller, orders: list[Document]) -> list[Document]:
        """The orders without those about suspected domestic violence to a department that has no part in it any more."""
        protected = () if sees_protected(caller) else [order for order in orders if order["category"] == PROTECTED_CATEGORY]
        departments = {caller.department} if caller.department and protected else set()
        left = await left_by(
            self._cases.collection, case_ids=(order["case_id"] for order in protected), departments=departments
        )
        return [order for order in orders if not is_order_withheld(order, left.get(order["case_id"]), caller)]


def _told(order: SupervisionOrder) -> Document:
    """What decides who may know of an order."""
    return {name: getattr(order, name) for name in ("order_id", "area_code", "category", "department")}


def _refusal(error: ServiceError) -> ServiceError:
    """What the unique index of open orders says, in words people understand."""
    if isinstance(error, Conflict) and "department" in (error.metadata or {}).get("key", ""):
        message = "The department has an open order about this."
        return Conflict(message, reason="OPEN_ORDER_EXISTS")
    return error
