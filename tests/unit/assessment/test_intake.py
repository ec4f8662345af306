"""Every fact svc-mediation publishes is taken, from the JSON it publishes."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from binglian.fire_safety.v1 import events_pb2 as fire_facts
from binglian.mediation.v1 import events_pb2 as facts
from binglian.options.v1.options_pb2 import event
from google.protobuf import json_format

from assessment import intake
from assessment.domain import FactKind
from svckit.event_codec import event_fields, type_of
from tests.unit.assessment.histories import START

EVENTS = Path(intake.__file__).with_name("events.py")


def events_of(module) -> list:
    """Messages of a file that are events, not parts of one."""
    return [message for message in module.DESCRIPTOR.message_types_by_name.values() if message.GetOptions().HasExtension(event)]


def subscribed() -> set[str]:
    """Routing keys in the worker's `@handles`: read, not imported, because nameko patches what imports it."""
    calls = (node for node in ast.walk(ast.parse(EVENTS.read_text())) if isinstance(node, ast.Call))
    handles = (call for call in calls if ast.unparse(call.func) == "handles")
    return {ast.literal_eval(argument) for call in handles for argument in call.args}


def test_what_is_subscribed_of_cases_is_what_can_be_read():
    assert {kind for kind in subscribed() if kind.startswith(("mediation.", "fire_safety."))} == set(intake.INTAKE)


def test_every_event_of_mediation_is_taken():
    # A mediation (调解) goes on beside the tasks of its case; its facts are no ledger's.
    published = {type_of(message) for message in events_of(facts) if "dispute_id" not in message.fields_by_name}
    assert published == {kind for kind in intake.INTAKE if kind.startswith("mediation.")} | intake.WITHOUT_TIME


@pytest.mark.parametrize("kind", sorted(intake.INTAKE))
def test_each_event_becomes_facts_about_its_case(kind):
    message = message_of(kind)
    data = json_format.MessageToJson(message).encode()
    said = intake.facts_of(event_type=kind, fields=event_fields(kind, data), event_time=START)
    assert said is not None
    case_id, told = said
    assert case_id == "c"
    assert told
    assert all(fact.at >= START for fact in told)


def message_of(kind: str):
    """An event with its case and every instant it knows set."""
    module = fire_facts if kind.startswith("fire_safety") else facts
    (descriptor,) = (message for message in events_of(module) if type_of(message) == kind)
    message = getattr(module, descriptor.name)()
    for field in descriptor.fields:
        if field.message_type and field.message_type.full_name == "google.protobuf.Timestamp":
            getattr(message, field.name).FromDatetime(START)
    if module is fire_facts:
        message.task.case_id = "c"
    else:
        message.case_id = "c"
    if kind == "mediation.task_assigned.v1":
        message.task.assigned_at.FromDatetime(START)
    return message


def test_an_inspection_by_hand_concerns_no_case():
    fields = event_fields("fire_safety.inspection_completed.v1", b"{}")
    assert intake.facts_of(event_type="fire_safety.inspection_completed.v1", fields=fields, event_time=START) is None


def test_a_completion_that_was_the_acceptance_too_says_both():
    data = {
        "caseId": "c",
        "taskId": "t",
        "department": "FIRE",
        "completedAt": "2026-11-22T08:00:00Z",
        "onTime": True,
        "acceptedAt": "2026-11-22T08:00:00Z",
        "acceptedOnTime": True,
    }
    kind = "mediation.task_completed.v1"
    fields = event_fields(kind, json.dumps(data).encode())
    said = intake.facts_of(event_type=kind, fields=fields, event_time=START)
    assert {(fact.kind, fact.yes) for fact in said[1]} == {(FactKind.TASK_DONE, True), (FactKind.TASK_ACCEPTED, True)}


def light(**fields: str):
    """What is said when a light of a case turns yellow long after it should have, for the timer was away."""
    given = {"caseId": "c", "taskId": "t", "department": "FIRE", "light": "LIGHT_YELLOW", "dueAt": "2026-11-22T12:00:00Z"}
    fields = event_fields("mediation.light_turned.v1", json.dumps(given | fields).encode())
    ((fact,),) = (intake.facts_of(event_type="mediation.light_turned.v1", fields=fields, event_time=START)[1],)
    return fact


def test_a_light_counts_from_when_it_shone():
    assert light(since="2026-11-22T11:00:00Z").at.isoformat() == "2026-11-22T11:00:00+00:00"
    assert light().at.isoformat() == "2026-11-22T12:00:00+00:00", "older events do not say since when"


def test_a_light_without_a_department_is_no_tasks():
    assert light().task_id == "t"
    assert light(department="").task_id == ""


def test_an_orders_light_counts_from_when_it_shone():
    kind = "mediation.supervision_light_turned.v1"
    data = {
        "caseId": "c",
        "orderId": "o",
        "light": "LIGHT_YELLOW",
        "dueAt": "2026-11-22T12:00:00Z",
        "since": "2026-11-22T11:00:00Z",
    }
    ((fact,),) = (intake.facts_of(event_type=kind, fields=event_fields(kind, json.dumps(data).encode()), event_time=START)[1],)
    assert fact.at.isoformat() == "2026-11-22T11:00:00+00:00"
