"""Elder services: providers with agreed prices, orders, receipts. Money in fen (1/100 yuan)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class ServiceKind(StrEnum):
    """The kinds of service: three that come to the elder, and care by the day at the provider."""

    DAILY_LIFE = "daily_life"
    LEISURE = "leisure"
    MARKET = "market"
    DAY_CARE = "day_care"


class ProviderKind(StrEnum):
    """What kind of provider it is."""

    MERCHANT = "merchant"
    DAY_CARE_CENTRE = "day_care_centre"
    ASSOCIATION = "association"


class ElderFacility(StrEnum):
    """A room elders use at a provider."""

    CANTEEN = "canteen"
    ACTIVITY_ROOM = "activity_room"
    DAY_CARE_ROOM = "day_care_room"
    DORMITORY = "dormitory"
    CLINIC = "clinic"


class ProviderState(StrEnum):
    """Whether a provider takes orders."""

    CONTRACTED = "contracted"
    SUSPENDED = "suspended"


class ElderOrderState(StrEnum):
    """Where an order stands."""

    PLACED = "placed"
    TAKEN = "taken"
    DONE = "done"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    CANCELLED = "cancelled"


class AgreedPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A service at an agreed price for one unit."""

    code: str
    name: str
    kind: ServiceKind
    unit: str
    price_fen: int = 0
    standard: str = ""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """A contracted provider; `account` is the subject that takes its orders."""

    provider_id: str
    uscc: str
    name: str
    state: ProviderState
    city: str
    area_code: str
    account: str
    prices: tuple[AgreedPrice, ...]
    created_at: datetime
    changed_at: datetime
    kind: ProviderKind = ProviderKind.MERCHANT
    facilities: tuple[ElderFacility, ...] = ()
    revision: int = 0


class OrderItem(msgspec.Struct, frozen=True, kw_only=True):
    """So many units of a service at the price agreed when it was ordered."""

    code: str
    units: int
    price_fen: int = 0


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What was done and charged."""

    number: str
    items: tuple[OrderItem, ...]
    total_fen: int
    at: datetime


class ElderOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order; `account` is the merchant's."""

    order_id: str
    state: ElderOrderState
    city: str
    area_code: str
    resident_id: str
    provider_id: str
    account: str
    items: tuple[OrderItem, ...]
    placed_at: datetime
    placed_by: str
    due_at: datetime
    changed_at: datetime
    note: str = ""
    receipt: Receipt | None = None
    rating: int = 0
    reason: str = ""
    entered_for: str = ""
    revision: int = 0


class ElderOrderPlaced(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A service was ordered."""

    order_id: str
    provider_id: str
    area_code: str
    due_at: datetime
    at: datetime


class ElderOrderCompleted(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A service was given."""

    order_id: str
    provider_id: str
    area_code: str
    total_fen: int
    at: datetime


class ElderOrderJudged(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A receipt was confirmed or disputed."""

    order_id: str
    provider_id: str
    area_code: str
    right: bool
    rating: int
    at: datetime
