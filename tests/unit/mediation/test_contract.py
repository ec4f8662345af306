"""The structs of the domain against the protos they travel as."""

from __future__ import annotations

import importlib
import json
import pkgutil
from enum import StrEnum
from types import ModuleType

import msgspec
import pytest
from binglian.mediation.v1 import case_pb2, events_pb2
from google.protobuf import json_format

from mediation import domain, operations, store
from mediation.cursors import Cursor, parse
from mediation.domain import case as case_module
from mediation.domain import facts, states
from mediation.domain.case import Case
from svckit.documents import Form, stored
from svckit.errors import InvalidArgument
from svckit.messages import event_json, event_type, to_message

from .builders import CHECKER, DISPATCHER, RESIDENT, START, after_start, dispatched, done, photo, task_of, verified

# Fields the store and the timers use; no client sees them.
OWN = {"next_light_at", "due_at", "removed_at", "inbox", "workspace", "ends_by_itself_at", "archive_at"}


def structs(module: ModuleType) -> list[type[msgspec.Struct]]:
    """The structs a module defines."""
    found = vars(module).values()
    return [
        each
        for each in found
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", structs(facts))
def test_every_fact_has_the_fields_of_its_message(kind: type[msgspec.Struct]) -> None:
    descriptor = events_pb2.DESCRIPTOR.message_types_by_name.get(kind.__name__)
    if descriptor is None:
        assert kind.__subclasses__(), f"{kind.__name__} is in no proto"
        return
    assert set(kind.__struct_fields__) == {field.name for field in descriptor.fields}


def test_every_message_of_a_fact_has_a_struct() -> None:
    modules = [importlib.import_module(f"mediation.domain.{info.name}") for info in pkgutil.iter_modules(domain.__path__)]
    known = {kind.__name__ for module in modules for kind in structs(module)}
    assert set(events_pb2.DESCRIPTOR.message_types_by_name) <= known


@pytest.mark.parametrize(
    "name", ["Case", "Task", "Clock", "ClockChange", "Progress", "Objection", "Reporter", "Verification", "Step"]
)
def test_every_part_of_a_case_has_the_fields_of_its_message(name: str) -> None:
    fields = {field.name for field in case_pb2.DESCRIPTOR.message_types_by_name[name].fields}
    assert set(getattr(case_module, name).__struct_fields__) - (OWN - fields) == fields


@pytest.mark.parametrize("name", list(case_pb2.DESCRIPTOR.enum_types_by_name))
def test_every_enum_has_the_values_of_its_proto(name: str) -> None:
    descriptor = case_pb2.DESCRIPTOR.enum_types_by_name[name]
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    ours: type[StrEnum] = getattr(states, name)
    assert {value.name.removeprefix(prefix).lower() for value in descriptor.values} - {"unspecified"} == set(ours) - {
        "unspecified"
    }


def worked() -> Case:
    """A case that has been through everything: objection, rework, check."""
    case = dispatched("PMC", "FIRE", "UMD", photos=(photo(),))
    case = operations.object_task(case, task_id=task_of(case, "UMD").task_id, reason="x", by=_of("UMD"), at=START, now=START)[0]
    case = operations.rule_objection(
        case, task_id=task_of(case, "UMD").task_id, upheld=True, reason="y", reassign_to="ENV", by=DISPATCHER, at=START, now=START,
        new_id=lambda: "00000000-0000-7000-9000-000000000001",
    )[0]  # fmt: skip
    case = done(case, "PMC", "FIRE", "ENV", at=after_start(hours=1))
    at = after_start(hours=2)
    failed = [task_of(case, "FIRE").task_id]
    case = operations.verify_case(case, passed=False, text="z", failed_task_ids=failed, by=CHECKER, at=at, now=at)[0]
    return verified(done(case, "FIRE", at=at), at=at)


def _of(code: str) -> object:
    return case_module.ServiceActor(subject=code, department=code)


def test_a_case_is_the_same_after_the_database() -> None:
    case = worked()
    form = Form(Case, id_field="case_id")
    document = {**form.changed(None, case), "_id": case.case_id}
    assert form.state(document) == case
    # What is stored goes to clients without being made a case again.
    raw = {**document, "case_id": document["_id"]}
    assert to_message(case_pb2.Case, raw) == to_message(case_pb2.Case, case)
    shown = to_message(case_pb2.Case, case)
    assert (shown.state, len(shown.tasks), shown.tasks[2].department) == (case_pb2.CASE_STATE_VERIFIED, 4, "ENV")
    assert store.lit(raw, now=START)["light"] == "unspecified"


def test_facts_are_the_json_of_their_messages() -> None:
    case = dispatched("PMC", "FIRE", after={"FIRE": ["PMC"]})
    _, said = operations.finish_task(case, task_id=case.tasks[0].task_id, result="x", by=_of("PMC"), at=START, now=START)  # type: ignore[arg-type]
    for fact in said:
        message = getattr(events_pb2, type(fact).__name__)()
        json_format.Parse(event_json(fact), message)
        assert message == to_message(type(message), fact)
        assert event_type(fact).startswith("mediation.")
        assert json.loads(event_json(fact))["caseId"] == case.case_id


def test_cursors_come_back() -> None:
    cursor = Cursor(at=START, key="01930000-0000-7000-8000-000000000001")
    assert parse(str(cursor), field="cursor") == cursor
    assert len(str(cursor)) <= 100
    assert parse("", field="cursor") is None
    for text in ("***", "aGVsbG8", "é", "OTk5OTk5OTk5OTk5OTk5OTk5Ong"):
        with pytest.raises(InvalidArgument):
            parse(text, field="cursor")


def test_views_ask_the_database_what_they_ask_a_document() -> None:
    case = stored(worked())
    city, narrow = store.view_of(DISPATCHER), store.view_of(DISPATCHER, prefix="420502001")
    assert city.shows(case)
    assert narrow.shows(case)
    assert narrow.where == {"area_code": {"$gte": "420502001", "$lt": "420502001:"}, "state": {"$ne": "draft"}}
    assert not store.view_of(DISPATCHER, prefix="4206").shows(case)
    assert store.view_of(DISPATCHER, prefix="4206").where == {"_id": {"$in": []}}
    assert not store.view_of(RESIDENT).shows(case)
    assert store.view_of(RESIDENT).where["reporter.subject"] == RESIDENT.subject
