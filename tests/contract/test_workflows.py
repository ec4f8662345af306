"""Every workflow is a table: each status of each aggregate is reached in it, and the contract has the same statuses."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import pytest
from google.protobuf import descriptor_pool

# (states, table, the contract's enum). Where an aggregate's life begins: a source of None.
WORKFLOWS = (
    ("mediation.domain:CaseState", "mediation.domain:CASE_TRANSITIONS", "binglian.mediation.v1.CaseState"),
    ("mediation.domain:TaskState", "mediation.domain:TASK_TRANSITIONS", "binglian.mediation.v1.TaskState"),
    (
        "mediation.domain.notice:DeliveryState",
        "mediation.domain.notice:DELIVERY_TRANSITIONS",
        "binglian.mediation.v1.DeliveryState",
    ),
    (
        "mediation.domain.supervision:OrderState",
        "mediation.domain.supervision:ORDER_TRANSITIONS",
        "binglian.mediation.v1.OrderState",
    ),
    (
        "mediation.domain.dispute:DisputeState",
        "mediation.domain.dispute_workflow:DISPUTE_TRANSITIONS",
        "binglian.mediation.v1.DisputeState",
    ),
    ("fire_safety.domain:InspectionState", "fire_safety.domain:TRANSITIONS", "binglian.fire_safety.v1.InspectionState"),
    ("housing.domain:HouseCheckState", "housing.policies:CHECK_TRANSITIONS", "binglian.housing.v1.HouseCheckState"),
    (
        "population.domain.merge:MergeState",
        "population.policies.merging:MERGE_TRANSITIONS",
        "binglian.population.v1.MergeState",
    ),
    ("population.domain.job:JobState", "population.policies.jobs:JOB_TRANSITIONS", "binglian.population.v1.JobState"),
    (
        "population.domain.verification:VerificationState",
        "population.policies.verification:ORDER_TRANSITIONS",
        "binglian.population.v1.VerificationState",
    ),
    (
        "population.domain.data_request:DataRequestState",
        "population.policies.data_rights:DATA_REQUEST_TRANSITIONS",
        "binglian.population.v1.DataRequestState",
    ),
    (
        "population.domain.life_event:LifeEventState",
        "population.policies.life_events:LIFE_EVENT_TRANSITIONS",
        "binglian.population.v1.LifeEventState",
    ),
    ("population.domain.care:CareState", "population.policies.care:CARE_TRANSITIONS", "binglian.population.v1.CareState"),
    (
        "population.domain.care:VisitPlanState",
        "population.policies.care:VISIT_PLAN_TRANSITIONS",
        "binglian.population.v1.VisitPlanState",
    ),
    (
        "population.domain.welfare:WelfareState",
        "population.policies.welfare:WELFARE_TRANSITIONS",
        "binglian.population.v1.WelfareState",
    ),
    (
        "population.domain.elder:ProviderState",
        "population.policies.elder:PROVIDER_TRANSITIONS",
        "binglian.population.v1.ProviderState",
    ),
    (
        "population.domain.elder:ElderOrderState",
        "population.policies.elder:ELDER_ORDER_TRANSITIONS",
        "binglian.population.v1.ElderOrderState",
    ),
    (
        "population.domain.audit_alert:AuditAlertState",
        "population.policies.audit_alerts:ALERT_TRANSITIONS",
        "binglian.population.v1.AuditAlertState",
    ),
)
FIRST = {
    "mediation.domain.dispute:DisputeState": {"registered"},
    "mediation.domain:CaseState": {"draft"},
    "mediation.domain:TaskState": {"waiting", "assigned"},
    "mediation.domain.supervision:OrderState": {"issued"},
}
"""Statuses aggregates are born with where the table has no row for it."""


def thing(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


def moves(table: Any) -> Iterator[tuple[Any, Any]]:
    """(source, target) of every row, whichever of the two forms the table has."""
    if isinstance(table, Mapping):
        yield from ((source, target) for sources, target in table.values() for source in sources)
    else:
        yield from ((row.source, row.target) for row in table)


@pytest.mark.parametrize(("states", "table", "contract"), WORKFLOWS, ids=lambda value: str(value).rpartition(":")[2])
class TestWorkflow:
    def test_every_status_is_reached(self, states: str, table: str, contract: str) -> None:
        known: type[StrEnum] = thing(states)
        rows = list(moves(thing(table)))
        reached = {str(target) for _, target in rows} | FIRST.get(states, set())
        assert set(known) - {"unspecified"} <= reached
        assert {str(source) for source, _ in rows if source is not None} <= reached

    def test_the_contract_has_the_same(self, states: str, table: str, contract: str) -> None:
        described = descriptor_pool.Default().FindEnumTypeByName(contract)
        prefix = described.values[0].name.removesuffix("UNSPECIFIED")
        shown = {value.name.removeprefix(prefix).lower() for value in described.values}
        assert shown - {"unspecified"} == set(thing(states)) - {"unspecified"}


def test_no_workflow_is_forgotten() -> None:
    """Every enum of the contracts that is a state has its workflow here."""
    pool = descriptor_pool.Default()
    packages = {contract.rpartition(".")[0] for _, _, contract in WORKFLOWS} | {"binglian.assessment.v1"}
    found = set()
    for package in packages:
        for service in importlib.import_module("svckit.grpc_server").all_services():
            file = pool.FindServiceByName(service).file
            for one in (file, *file.dependencies):
                if one.package == package:
                    found |= {enum.full_name for enum in one.enum_types_by_name.values() if enum.name.endswith("State")}
    assert found == {contract for _, _, contract in WORKFLOWS}
