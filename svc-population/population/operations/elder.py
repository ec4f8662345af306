"""The verbs on providers and orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from population.domain.elder import (
    AgreedPrice,
    ElderFacility,
    ElderOrder,
    ElderOrderCompleted,
    ElderOrderJudged,
    ElderOrderPlaced,
    ElderOrderState,
    OrderItem,
    Provider,
    ProviderKind,
    ProviderState,
    Receipt,
)
from population.policies.elder import (
    TAKEN_WITHIN,
    check_merchant,
    check_not_own,
    check_order,
    check_prices,
    check_takes_orders,
    check_units,
    priced,
)
from population.policies.requests import CITY_DIGITS, Actor, check_revision
from svckit.errors import InvalidArgument

OrderDone = tuple[ElderOrder, tuple[ElderOrderPlaced | ElderOrderCompleted | ElderOrderJudged, ...]]


def create_provider(
    *,
    provider_id: str,
    uscc: str,
    name: str,
    area_code: str,
    account: str,
    prices: tuple[AgreedPrice, ...],
    kind: ProviderKind,
    facilities: tuple[ElderFacility, ...],
    now: datetime,
) -> tuple[Provider, tuple[()]]:
    """Enters a provider with what was agreed on. Raises InvalidArgument (PRICE_TWICE, SERVICE_KIND_NOT_OFFERED)."""
    check_prices(prices, kind=kind)
    provider = Provider(
        provider_id=provider_id,
        uscc=uscc,
        name=name,
        state=ProviderState.CONTRACTED,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        account=account,
        prices=prices,
        kind=kind,
        facilities=facilities,
        created_at=now,
        changed_at=now,
    )
    return provider, ()


def update_provider(
    provider: Provider,
    *,
    state: ProviderState | None,
    prices: tuple[AgreedPrice, ...],
    facilities: tuple[ElderFacility, ...],
    revision: int,
    now: datetime,
) -> tuple[Provider, tuple[()]]:
    """Agrees on other prices or rooms, suspends or contracts again.

    Raises FailedPrecondition (REVISION_CHANGED), InvalidArgument (PRICE_TWICE, SERVICE_KIND_NOT_OFFERED).
    """
    check_revision(revision, provider.revision)
    check_prices(prices, kind=provider.kind)
    changed = replace(
        provider,
        state=state or provider.state,
        prices=prices or provider.prices,
        facilities=facilities or provider.facilities,
        changed_at=now,
    )
    return changed, ()


def place_order(
    *,
    order_id: str,
    provider: Provider,
    resident_id: str,
    area_code: str,
    items: Sequence[OrderItem],
    note: str,
    by: Actor,
    now: datetime,
) -> OrderDone:
    """Places an order at today's agreed prices. Raises FailedPrecondition (PROVIDER_SUSPENDED), InvalidArgument (SERVICE_UNKNOWN)."""
    check_takes_orders(provider)
    order = ElderOrder(
        order_id=order_id,
        state=ElderOrderState.PLACED,
        city=area_code[:CITY_DIGITS],
        area_code=area_code,
        resident_id=resident_id,
        provider_id=provider.provider_id,
        account=provider.account,
        items=priced(items, {price.code: price.price_fen for price in provider.prices}),
        note=note,
        placed_at=now,
        placed_by=by.subject,
        due_at=now + TAKEN_WITHIN,
        changed_at=now,
    )
    told = ElderOrderPlaced(order_id=order_id, provider_id=order.provider_id, area_code=area_code, due_at=order.due_at, at=now)
    return order, (told,)


def take_order(order: ElderOrder, *, by: Actor, now: datetime) -> OrderDone:
    """The provider takes an order. Raises PermissionDenied (OTHER_PROVIDER), FailedPrecondition (WRONG_STATE)."""
    check_merchant(order, by)
    return replace(order, state=check_order(order, "take"), changed_at=now), ()


def finish_order(order: ElderOrder, *, receipt_number: str, items: Sequence[OrderItem], by: Actor, now: datetime) -> OrderDone:
    """The provider says what was done; the sum follows from the agreed prices. A disputed receipt is replaced.

    Raises PermissionDenied, FailedPrecondition (WRONG_STATE, MORE_THAN_ORDERED), InvalidArgument (SERVICE_UNKNOWN).
    """
    check_merchant(order, by)
    state = check_order(order, "complete")
    done = priced(items, {item.code: item.price_fen for item in order.items})
    check_units(order, done)
    total = sum(item.units * item.price_fen for item in done)
    receipt = Receipt(number=receipt_number, items=done, total_fen=total, at=now)
    told = ElderOrderCompleted(
        order_id=order.order_id, provider_id=order.provider_id, area_code=order.area_code, total_fen=total, at=now
    )
    return replace(order, state=state, receipt=receipt, reason="", changed_at=now), (told,)


def judge_order(order: ElderOrder, *, right: bool, rating: int, reason: str, by: Actor, now: datetime) -> OrderDone:
    """Confirms or disputes a receipt. Raises PermissionDenied (OWN_RECEIPT), FailedPrecondition, InvalidArgument (REASON_MISSING)."""
    check_not_own(order, by)
    if not right and not reason:
        raise InvalidArgument("Say what is not right.", reason="REASON_MISSING", field="reason")
    state = check_order(order, "confirm" if right else "dispute")
    told = ElderOrderJudged(
        order_id=order.order_id,
        provider_id=order.provider_id,
        area_code=order.area_code,
        right=right,
        rating=rating,
        at=now,
    )
    return replace(order, state=state, rating=rating, reason=reason, changed_at=now), (told,)


def cancel_elder_order(order: ElderOrder, *, reason: str, by: Actor, now: datetime) -> OrderDone:
    """Takes an order back, or refuses it. Raises PermissionDenied (OTHER_PROVIDER), FailedPrecondition (WRONG_STATE)."""
    check_merchant(order, by)
    return replace(order, state=check_order(order, "cancel"), reason=reason, changed_at=now), ()
