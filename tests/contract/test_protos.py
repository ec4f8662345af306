"""What every proto of ours must declare, and that the declarations are obeyed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import protovalidate
import pytest
from binglian.options.v1 import options_pb2
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svckit.grpc_server import all_services
from svckit.masking import is_hidden, masker_of, sensitivity_of
from tests.contract.random_messages import messages

SERVICES = [descriptor_pool.Default().FindServiceByName(name) for name in all_services()]
RPCS: list[MethodDescriptor] = [method for service in SERVICES for method in service.methods]
READS = re.compile(r"(Explain|Export|Get|List|Watch|Count|Find|Plan|Locate|Reveal|BatchGet)")


def name_of(rpc: MethodDescriptor) -> str:
    return f"{rpc.containing_service.name}.{rpc.name}"


def event_files() -> Iterator[FileDescriptor]:
    pool = descriptor_pool.Default()
    for package in {service.file.package for service in SERVICES}:
        try:
            yield pool.FindFileByName(f"{package.replace('.', '/')}/events.proto")
        except KeyError:
            continue


@pytest.mark.parametrize("rpc", RPCS, ids=name_of)
def test_every_rpc_declares_who_may_call_it(rpc: MethodDescriptor) -> None:
    assert rpc.GetOptions().HasExtension(options_pb2.access)


FOR_EVERYBODY = {
    # A report needs the area of a point; areas are public knowledge, and counts are withheld where they are small.
    *("AreaService.GetArea", "AreaService.ListAreas", "AreaService.GetAreaTree", "LocationService.LocatePoint"),
    # Reporters see their own cases here, staff those of their area.
    *("CaseService.GetCase", "CaseService.ListCases", "CaseService.WatchCase", "CaseService.WatchCases"),
    *("CaseService.CountCases", "TaskService.ListTasks", "ClockService.ExplainClocks"),
    # Everybody reads what was written to them, reporters too.
    *("NoticeService.ListNotices", "NoticeService.MarkRead"),
    # Parties choose who mediates; the register is published (人民调解法 10).
    *("CommitteeService.GetCommittee", "CommitteeService.ListCommittees", "CommitteeService.GetMediationCard"),
}


@pytest.mark.parametrize("rpc", [rpc for rpc in RPCS if name_of(rpc) not in FOR_EVERYBODY], ids=name_of)
def test_all_else_is_for_named_roles(rpc: MethodDescriptor) -> None:
    access = rpc.GetOptions().Extensions[options_pb2.access]
    assert access.roles


def holds(descriptor: Descriptor, part: str, seen: tuple[str, ...] = ()) -> bool:
    """Tells whether messages of a type can hold one of the type `part`, however deep."""
    inner = [field.message_type for field in descriptor.fields if field.message_type]
    seen = (*seen, descriptor.full_name)
    return descriptor.full_name == part or any(holds(each, part, seen) for each in inner if each.full_name not in seen)


NARROWED = ("mediation", "MyData", "ElderOrder")
"""What the service narrows to the caller's own, beyond roles."""


@pytest.mark.parametrize("rpc", [rpc for rpc in RPCS if holds(rpc.output_type, "binglian.type.v1.TaskRef")], ids=name_of)
def test_the_work_on_a_case_is_shown_to_named_roles_only(rpc: MethodDescriptor) -> None:
    """It repeats what the case is about, and residents see no cases but their own."""
    roles = set(rpc.GetOptions().Extensions[options_pb2.access].roles)
    assert roles
    assert not roles & {"RESIDENT", "MERCHANT", "VOLUNTEER", "SYS_ADMIN", "SEC_ADMIN"}


@pytest.mark.parametrize(
    "rpc",
    [rpc for rpc in RPCS if masker_of(rpc.output_type) and not any(part in rpc.full_name for part in NARROWED)],
    ids=name_of,
)
def test_personal_data_is_shown_to_named_roles_only(rpc: MethodDescriptor) -> None:
    """A stated purpose unmasks it, and residents may state some. Cases and tasks are narrowed further by their own service,
    MyDataService answers only about the person whose account calls, and merchants see the orders that were placed with them.
    """
    roles = set(rpc.GetOptions().Extensions[options_pb2.access].roles)
    assert roles
    assert not roles & {"RESIDENT", "MERCHANT", "VOLUNTEER", "SYS_ADMIN", "SEC_ADMIN"}


@pytest.mark.parametrize("rpc", RPCS, ids=name_of)
def test_every_mutation_takes_a_request_id(rpc: MethodDescriptor) -> None:
    if not READS.match(rpc.name):
        assert "request_id" in rpc.input_type.fields_by_name


@pytest.mark.parametrize("rpc", RPCS, ids=name_of)
def test_the_rules_of_every_request_compile(rpc: MethodDescriptor) -> None:
    protovalidate.collect_violations(message_factory.GetMessageClass(rpc.input_type)())


def test_every_event_declares_its_type() -> None:
    types: dict[str, str] = {}
    for file in event_files():
        service = file.package.split(".")[1]
        for message in file.message_types_by_name.values():
            declared = message.GetOptions().Extensions[options_pb2.event]
            if declared:
                snake = re.sub(r"(?<!^)(?=[A-Z])", "_", message.name).lower()
                assert declared == f"{service}.{snake}.v1"
                assert types.setdefault(declared, message.full_name) == message.full_name
    assert types


# The telephone of a committee is on its door.
OF_OFFICES = {"binglian.mediation.v1.CommitteeDraft.phone", "binglian.mediation.v1.MediationCommittee.phone"}
PERSONAL = re.compile(
    r"(.+_)?(id_number|phone|mobile|birth_date|wechat|email)|(reporter|responsible|guardian|owner|tenant)_name"
)


def fields_below(message: Descriptor, seen: set[str]) -> Iterator[FieldDescriptor]:
    """Every field of a message and of what it holds, each once."""
    if message.full_name not in seen:
        seen.add(message.full_name)
        for field in message.fields:
            yield field
            if field.message_type:
                yield from fields_below(field.message_type, seen)


def test_what_sounds_personal_is_marked_as_personal() -> None:
    seen: set[str] = set()
    fields = [field for rpc in RPCS for kind in (rpc.input_type, rpc.output_type) for field in fields_below(kind, seen)]
    found = [field for field in fields if PERSONAL.fullmatch(field.name) and field.full_name not in OF_OFFICES]
    assert len(found) > 5
    assert [field.full_name for field in found if not is_hidden(field)] == []


def test_names_and_telephones_are_internal_and_numbers_sensitive() -> None:
    """sensitive_field.csv: or a purpose that allows L2 (P02, P05, P06, P09) would not show them, or show more than it allows."""
    levels = dict.fromkeys((options_pb2.MASK_NAME, options_pb2.MASK_PHONE, options_pb2.MASK_YEAR), options_pb2.SENSITIVITY_L2)
    levels[options_pb2.MASK_ID_NUMBER] = options_pb2.SENSITIVITY_L3
    seen: set[str] = set()
    fields = [field for rpc in RPCS for kind in (rpc.input_type, rpc.output_type) for field in fields_below(kind, seen)]
    forms = [(field, field.GetOptions().Extensions[options_pb2.personal].mask) for field in fields]
    assert [field.full_name for field, mask in forms if mask and sensitivity_of(field) != levels[mask]] == []


def test_no_event_carries_what_is_personal() -> None:
    """Events go to everybody who listens, and nothing masks them."""
    seen: set[str] = set()
    messages_of = [message for file in event_files() for message in file.message_types_by_name.values()]
    fields = [field for message in messages_of for field in fields_below(message, seen)]
    assert fields
    assert [field.full_name for field in fields if is_hidden(field)] == []
    assert [field.full_name for field in fields if PERSONAL.fullmatch(field.name)] == []


def personal_values(message: Message) -> Iterator[tuple[FieldDescriptor, Any]]:
    for field, value in message.ListFields():
        if is_hidden(field):
            yield field, value
        elif field.message_type and field.message_type.GetOptions().map_entry:
            for part in value.values():
                yield from personal_values(part) if isinstance(part, Message) else ()
        elif field.message_type:
            for part in value if field.is_repeated else [value]:
                yield from personal_values(part)


@pytest.mark.parametrize("rpc", RPCS, ids=name_of)
@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_personal_field_is_masked(rpc: MethodDescriptor, data: st.DataObject) -> None:
    response = data.draw(messages(rpc.output_type))
    before = [(field.full_name, str(value)) for field, value in personal_values(response)]
    mask = masker_of(rpc.output_type)
    shown = mask(response) if mask else response
    after = [(field.full_name, value) for field, value in personal_values(shown)]
    for name, value in after:
        texts = [value] if isinstance(value, str) else list(value)
        assert all("*" in text for text in texts if text), name
    assert mask or not before
