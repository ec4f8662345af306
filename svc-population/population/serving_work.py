"""The gRPC services of dynamic collection, life events, the care register, welfare alerts and elder services: wiring only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from population.domain.care import CareEntry, VisitPlan
from population.domain.collection import FieldLedger
from population.domain.elder import ElderOrder, Provider
from population.domain.life_event import LifeEvent
from population.domain.resident import Resident
from population.domain.welfare import WelfareWatch
from population.vault import Vault

if TYPE_CHECKING:
    from svckit.api import Api
    from svckit.store import Repository


def work_servicers(
    api: Api, *, residents: Repository[Resident], ledgers: Repository[FieldLedger], vault: Vault
) -> list[tuple[Any, Any]]:
    """Returns the services with what they need. Raises ConfigError for a wrong election day."""
    from binglian.population.v1.care_pb2_grpc import add_CareServiceServicer_to_server
    from binglian.population.v1.collection_service_pb2_grpc import add_CollectionServiceServicer_to_server
    from binglian.population.v1.elder_pb2_grpc import add_ElderServiceServicer_to_server
    from binglian.population.v1.life_event_pb2_grpc import add_LifeEventServiceServicer_to_server
    from binglian.population.v1.welfare_pb2_grpc import add_WelfareServiceServicer_to_server

    from population.elections import election_day_from_env
    from population.rpc.care import CareServicer
    from population.rpc.collection import CollectionServicer
    from population.rpc.elder import ElderServicer
    from population.rpc.life_events import LifeEventServicer
    from population.rpc.welfare import WelfareServicer

    events = api.repository(LifeEvent, collection="life_events", id_field="life_event_id")
    entries = api.repository(CareEntry, collection="care_entries", id_field="care_id")
    plans = api.repository(VisitPlan, collection="visit_plans", id_field="plan_id")
    watches = api.repository(WelfareWatch, collection="welfare_watches", id_field="watch_id")
    providers = api.repository(Provider, collection="elder_providers", id_field="provider_id")
    orders = api.repository(ElderOrder, collection="elder_orders", id_field="order_id")
    return [
        (
            add_CollectionServiceServicer_to_server,
            CollectionServicer(ledgers=ledgers, residents=residents, vault=vault),
        ),
        (
            add_LifeEventServiceServicer_to_server,
            LifeEventServicer(events=events, residents=residents, vault=vault, election_day=election_day_from_env()),
        ),
        (add_CareServiceServicer_to_server, CareServicer(entries=entries, plans=plans, residents=residents)),
        (add_WelfareServiceServicer_to_server, WelfareServicer(watches=watches, residents=residents, vault=vault)),
        (add_ElderServiceServicer_to_server, ElderServicer(providers=providers, orders=orders, residents=residents)),
    ]
