"""ElderService: providers, agreed prices, orders, receipts."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from binglian.population.v1 import elder_pb2 as pb
from binglian.population.v1 import elder_pb2_grpc as grpc_pb

from population import store
from population.domain.elder import AgreedPrice, ElderFacility, ElderOrder, OrderItem, Provider, ProviderKind, ProviderState
from population.domain.resident import Resident
from population.operations import elder as operations
from population.policies.requests import CITY_DIGITS
from population.policies.standing import check_lives_here
from svckit.access import Caller, check_area, current_caller, may_act_in
from svckit.documents import command_of, utc_now
from svckit.ids import new_id
from svckit.messages import to_fields, to_message
from svckit.paging import page_of
from svckit.store import Repository

DEFAULT_PAGE = 50
MERCHANT = "MERCHANT"
_LEVELS = (CITY_DIGITS, 6, 9, 12)


class ElderServicer(grpc_pb.ElderServiceServicer):
    """Elder services of the caller's area; of a merchant, its own orders."""

    def __init__(
        self, *, providers: Repository[Provider], orders: Repository[ElderOrder], residents: Repository[Resident]
    ) -> None:
        self._providers = providers
        self._orders = orders
        self._residents = residents

    async def CreateProvider(self, request: pb.CreateProviderRequest, context: object) -> pb.CreateProviderResponse:
        """See the proto."""
        caller = current_caller()
        check_area(caller, request.area_code)
        provider, events = operations.create_provider(
            provider_id=new_id(),
            uscc=request.uscc,
            name=request.name,
            area_code=request.area_code,
            account=request.account,
            prices=prices_of(request),
            kind=ProviderKind(to_fields(request).get("kind") or ProviderKind.MERCHANT),
            facilities=facilities_of(request),
            now=utc_now(),
        )
        provider = await self._providers.create(provider.provider_id, provider, events, command=command_of(request, caller))
        return pb.CreateProviderResponse(provider=to_message(pb.Provider, provider))

    async def UpdateProvider(self, request: pb.UpdateProviderRequest, context: object) -> pb.UpdateProviderResponse:
        """See the proto."""
        caller, now = current_caller(), utc_now()
        state = to_fields(request).get("state")

        def decide(provider: Provider) -> Any:
            check_area(caller, provider.area_code)
            return operations.update_provider(
                provider,
                state=ProviderState(state) if state else None,
                prices=prices_of(request),
                facilities=facilities_of(request),
                revision=request.revision,
                now=now,
            )

        provider = await self._providers.change(request.provider_id, decide, command=command_of(request, caller))
        return pb.UpdateProviderResponse(provider=to_message(pb.Provider, provider))

    async def ListProviders(self, request: pb.ListProvidersRequest, context: object) -> pb.ListProvidersResponse:
        """See the proto."""
        caller = current_caller()
        wanted = request.area_code or caller.area
        query: dict[str, Any] = {"city": caller.city} if caller.city else {}
        if wanted:
            above = [wanted[:digits] for digits in _LEVELS if len(wanted) >= digits]
            below = store.in_area(own=caller.area, wanted=request.area_code) or {}
            query |= {"$or": [{"area_code": {"$in": above}}, *([] if request.area_code else [below])]}
        fields = to_fields(request)
        query |= {"prices.kind": fields["kind"]} if request.kind else {}
        query |= {"kind": fields["provider_kind"]} if request.provider_kind else {}
        query |= {"account": caller.subject} if is_merchant(caller) else {}
        rows, token = await page_of(
            self._providers.collection,
            query=query,
            keys=("area_code", "_id"),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(pb.Provider, row, id_field="provider_id") for row in rows]
        return pb.ListProvidersResponse(providers=found, next_page_token=token)

    async def PlaceElderOrder(self, request: pb.PlaceElderOrderRequest, context: object) -> pb.PlaceElderOrderResponse:
        """See the proto."""
        caller = current_caller()
        resident = await self._residents.get(request.resident_id)
        if not may_act_in(caller, resident.area_code):
            raise self._residents.form.not_found(request.resident_id)
        check_lives_here(resident)
        provider = await self._providers.get(request.provider_id)
        if not resident.area_code.startswith(provider.area_code):
            raise self._providers.form.not_found(request.provider_id)
        order, events = operations.place_order(
            order_id=new_id(),
            provider=provider,
            resident_id=resident.resident_id,
            area_code=resident.area_code,
            items=items_of(request),
            note=request.note,
            by=caller,
            now=utc_now(),
        )
        order = await self._orders.create(order.order_id, order, events, command=command_of(request, caller))
        return pb.PlaceElderOrderResponse(order=to_message(pb.ElderOrder, order))

    async def TakeElderOrder(self, request: pb.TakeElderOrderRequest, context: object) -> pb.TakeElderOrderResponse:
        """See the proto."""
        decide = partial(operations.take_order, by=current_caller(), now=utc_now())
        return pb.TakeElderOrderResponse(order=await self._change(request, decide))

    async def CompleteElderOrder(self, request: pb.CompleteElderOrderRequest, context: object) -> pb.CompleteElderOrderResponse:
        """See the proto."""
        decide = partial(
            operations.finish_order,
            receipt_number=request.receipt_number,
            items=items_of(request),
            by=current_caller(),
            now=utc_now(),
        )
        return pb.CompleteElderOrderResponse(order=await self._change(request, decide))

    async def ConfirmElderOrder(self, request: pb.ConfirmElderOrderRequest, context: object) -> pb.ConfirmElderOrderResponse:
        """See the proto."""
        decide = partial(
            operations.judge_order,
            right=request.right,
            rating=request.rating,
            reason=request.reason,
            by=current_caller(),
            now=utc_now(),
        )
        return pb.ConfirmElderOrderResponse(order=await self._change(request, decide))

    async def CancelElderOrder(self, request: pb.CancelElderOrderRequest, context: object) -> pb.CancelElderOrderResponse:
        """See the proto."""
        decide = partial(operations.cancel_elder_order, reason=request.reason, by=current_caller(), now=utc_now())
        return pb.CancelElderOrderResponse(order=await self._change(request, decide))

    async def ListElderOrders(self, request: pb.ListElderOrdersRequest, context: object) -> pb.ListElderOrdersResponse:
        """See the proto."""
        caller = current_caller()
        query = store.in_area(own=caller.area, wanted=request.area_prefix)
        if query is None:
            return pb.ListElderOrdersResponse()
        query |= {"state": to_fields(request)["state"]} if request.state else {}
        query |= {"account": caller.subject} if is_merchant(caller) else {}
        rows, token = await page_of(
            self._orders.collection,
            query=query,
            keys=("_id",),
            token=request.page_token,
            size=request.page_size or DEFAULT_PAGE,
        )
        found = [to_message(pb.ElderOrder, row, id_field="order_id") for row in rows]
        return pb.ListElderOrdersResponse(orders=found, next_page_token=token)

    async def _change(self, request: Any, decide: Any) -> pb.ElderOrder:
        caller = current_caller()

        def decide_in_area(order: ElderOrder) -> Any:
            check_area(caller, order.area_code)
            return decide(order)

        order = await self._orders.change(request.order_id, decide_in_area, command=command_of(request, caller))
        return to_message(pb.ElderOrder, order)


def is_merchant(caller: Caller) -> bool:
    """Tells whether a caller is here as a merchant and as nobody else."""
    return caller.roles <= {MERCHANT}


def prices_of(request: Any) -> tuple[AgreedPrice, ...]:
    """Returns the prices of a request."""
    return msgspec.convert(to_fields(request).get("prices", ()), tuple[AgreedPrice, ...])


def facilities_of(request: Any) -> tuple[ElderFacility, ...]:
    """Returns the rooms of a request."""
    return tuple(ElderFacility(name) for name in to_fields(request).get("facilities", ()))


def items_of(request: Any) -> tuple[OrderItem, ...]:
    """Returns the items of a request; a price it names counts for nothing."""
    return msgspec.convert(to_fields(request).get("items", ()), tuple[OrderItem, ...])
