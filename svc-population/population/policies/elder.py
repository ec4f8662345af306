"""The rules of elder services: agreed prices bind both sides, and nobody confirms their own receipt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from population.domain.elder import (
    AgreedPrice,
    ElderOrder,
    ElderOrderState,
    OrderItem,
    Provider,
    ProviderKind,
    ProviderState,
    ServiceKind,
)
from population.policies.requests import Actor
from svckit.errors import FailedPrecondition, InvalidArgument, PermissionDenied

ELDER_ORDER_TRANSITIONS: dict[str, tuple[frozenset[ElderOrderState | None], ElderOrderState]] = {
    # verb: (states it starts from, None for nothing; state it leads to)
    "place": (frozenset({None}), ElderOrderState.PLACED),
    "take": (frozenset({ElderOrderState.PLACED}), ElderOrderState.TAKEN),
    "complete": (frozenset({ElderOrderState.TAKEN, ElderOrderState.DISPUTED}), ElderOrderState.DONE),
    "confirm": (frozenset({ElderOrderState.DONE}), ElderOrderState.CONFIRMED),
    "dispute": (frozenset({ElderOrderState.DONE}), ElderOrderState.DISPUTED),
    "cancel": (
        frozenset({ElderOrderState.PLACED, ElderOrderState.TAKEN, ElderOrderState.DISPUTED}),
        ElderOrderState.CANCELLED,
    ),
}
PROVIDER_TRANSITIONS: dict[str, tuple[frozenset[ProviderState | None], ProviderState]] = {
    "contract": (frozenset({None, ProviderState.SUSPENDED}), ProviderState.CONTRACTED),
    "suspend": (frozenset({ProviderState.CONTRACTED}), ProviderState.SUSPENDED),
}
OFFERED: dict[ProviderKind, frozenset[ServiceKind]] = {
    ProviderKind.MERCHANT: frozenset({ServiceKind.DAILY_LIFE, ServiceKind.LEISURE, ServiceKind.MARKET}),
    ProviderKind.DAY_CARE_CENTRE: frozenset(ServiceKind),
    ProviderKind.ASSOCIATION: frozenset({ServiceKind.LEISURE}),
}
"""Who offers what: custody needs a house for it, an association has activities only."""
TAKEN_WITHIN = timedelta(hours=2)
"""How long a merchant has to take an order."""


def check_prices(prices: Sequence[AgreedPrice], *, kind: ProviderKind) -> None:
    """Raises InvalidArgument (PRICE_TWICE: one price for one service; SERVICE_KIND_NOT_OFFERED)."""
    if len({price.code for price in prices}) < len(prices):
        raise InvalidArgument("A service has two prices.", reason="PRICE_TWICE", field="prices")
    for index, price in enumerate(prices):
        if price.kind not in OFFERED[kind]:
            raise InvalidArgument(
                "This kind of provider does not offer this kind of service.",
                reason="SERVICE_KIND_NOT_OFFERED",
                field=f"prices[{index}].kind",
            )


def check_takes_orders(provider: Provider) -> None:
    """Raises FailedPrecondition (PROVIDER_SUSPENDED)."""
    if provider.state is not ProviderState.CONTRACTED:
        raise FailedPrecondition("This provider takes no orders now.", reason="PROVIDER_SUSPENDED")


def priced(items: Sequence[OrderItem], prices: dict[str, int]) -> tuple[OrderItem, ...]:
    """Returns the items at these prices. Raises InvalidArgument (SERVICE_UNKNOWN, SERVICE_TWICE)."""
    if len({item.code for item in items}) < len(items):
        raise InvalidArgument("A service is named twice.", reason="SERVICE_TWICE", field="items")
    for index, item in enumerate(items):
        if item.code not in prices:
            raise InvalidArgument("No price was agreed on for this.", reason="SERVICE_UNKNOWN", field=f"items[{index}].code")
    return tuple(OrderItem(code=item.code, units=item.units, price_fen=prices[item.code]) for item in items)


def check_units(order: ElderOrder, done: Sequence[OrderItem]) -> None:
    """Raises FailedPrecondition (MORE_THAN_ORDERED): what is more, is ordered first."""
    ordered = {item.code: item.units for item in order.items}
    for item in done:
        if item.units > ordered[item.code]:
            raise FailedPrecondition(
                "More than was ordered cannot be charged.", reason="MORE_THAN_ORDERED", metadata={"code": item.code}
            )


def check_order(order: ElderOrder, verb: str) -> ElderOrderState:
    """Returns the state `verb` leads to. Raises FailedPrecondition (WRONG_STATE)."""
    sources, target = ELDER_ORDER_TRANSITIONS[verb]
    if order.state not in sources:
        raise FailedPrecondition(
            f"An order that is {order.state} cannot {verb}.", reason="WRONG_STATE", metadata={"state": order.state}
        )
    return target


def check_merchant(order: ElderOrder, by: Actor) -> None:
    """Raises PermissionDenied (OTHER_PROVIDER): a merchant acts on its own orders only."""
    if "MERCHANT" in by.roles and by.subject != order.account:
        raise PermissionDenied("This order is another provider's.", reason="OTHER_PROVIDER")


def check_not_own(order: ElderOrder, by: Actor) -> None:
    """Raises PermissionDenied (OWN_RECEIPT)."""
    if by.subject == order.account:
        raise PermissionDenied("Nobody confirms their own receipt.", reason="OWN_RECEIPT")
