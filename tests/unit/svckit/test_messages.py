"""The compiled codecs against protobuf itself, on random messages of every type."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import msgspec
import pytest
from binglian.mediation.v1 import case_pb2, case_service_pb2, events_pb2
from google.protobuf import any_pb2, duration_pb2, field_mask_pb2, json_format, message_factory, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from svckit import event_codec
from svckit.errors import InvalidArgument
from svckit.grpc_server import all_services
from svckit.messages import event_fields, event_json, event_type, to_fields, to_message
from tests.contract.random_messages import everything, messages

NOW = dt.datetime(2026, 3, 1, 8, 30, 0, 123_000, tzinfo=dt.UTC)
QUICK = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
THOROUGH = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def own_types() -> list[Descriptor]:
    all_services()  # imports all generated code
    files = {descriptor.file for descriptor in (case_pb2.Case.DESCRIPTOR, case_service_pb2.GetCaseRequest.DESCRIPTOR)}
    files |= {events_pb2.DESCRIPTOR}
    return [message for file in files for message in file.message_types_by_name.values()]


def cut(message: Message) -> Message:
    """The message with its times cut to what Python data can hold."""
    if isinstance(message, timestamp_pb2.Timestamp):
        message.nanos = message.nanos // 1_000_000 * 1_000_000
    elif isinstance(message, duration_pb2.Duration):
        message.FromTimedelta(message.ToTimedelta())
    else:
        for part in parts(message):
            cut(part)
    return message


def parts(message: Message) -> list[Any]:
    found: list[Any] = []
    for field, value in message.ListFields():
        if field.message_type and field.message_type.GetOptions().map_entry:
            found += [item for item in value.values() if isinstance(item, Message)]
        elif field.message_type:
            found += value if field.is_repeated else [value]
    return found


def has_unknown_enum(message: Message) -> bool:
    """Tells whether protobuf's own JSON has a number where a name belongs."""
    for field, value in message.ListFields():
        values = value.values() if hasattr(value, "values") and field.is_repeated else value if field.is_repeated else [value]
        of = (
            field.message_type.fields_by_name["value"].enum_type
            if hasattr(value, "items") and field.is_repeated
            else field.enum_type
        )
        if of is not None and any(item not in of.values_by_number for item in values):
            return True
    return any(has_unknown_enum(part) for part in parts(message))


def same(left: Message, right: Message) -> bool:
    """Equal bytes, or equal but for the kind of NaN."""
    if left.SerializeToString(deterministic=True) == right.SerializeToString(deterministic=True):
        return True
    return json_format.MessageToJson(left, sort_keys=True) == json_format.MessageToJson(right, sort_keys=True)


def without(message: Message, *kinds: type[Message]) -> Message:
    """The message without fields of the given kinds."""
    for field, _ in message.ListFields():
        if (field.message_type and any(field.message_type is kind.DESCRIPTOR for kind in kinds)) or "null" in field.name:
            message.ClearField(field.name)
        elif field.message_type:
            for part in parts(message):
                without(part, *kinds)
    return message


@pytest.mark.parametrize("descriptor", own_types(), ids=lambda descriptor: descriptor.name)
@given(data=st.data())
@QUICK
def test_our_messages_survive_the_way_through_python_data(descriptor: Descriptor, data: st.DataObject) -> None:
    check_round_trip(data.draw(messages(descriptor)))


@given(message=messages(everything()))
@THOROUGH
def test_every_kind_of_field_survives_the_way_through_python_data(message: Message) -> None:
    # A Value that says null is None in Python, which means "not set".
    check_round_trip(without(message, struct_pb2.Value))


def check_round_trip(message: Message) -> None:
    if has_unknown_enum(message):
        with pytest.raises(InvalidArgument):
            to_fields(message)
    else:
        assert same(to_message(type(message), to_fields(message)), cut(message))


@given(message=messages(everything()))
@THOROUGH
def test_json_is_what_protobuf_reads_and_writes(message: Message) -> None:
    without(message, any_pb2.Any, field_mask_pb2.FieldMask, struct_pb2.Value)
    assume(not has_unknown_enum(message))
    fields, cls = to_fields(cut(message)), message_factory.GetMessageClass(message.DESCRIPTOR)
    assert same(json_format.Parse(event_codec.message_json(message.DESCRIPTOR, fields), cls()), message)
    back = event_codec.message_fields(message.DESCRIPTOR, json_format.MessageToJson(message))
    assert same(to_message(cls, back), message)


@pytest.mark.parametrize("descriptor", own_types(), ids=lambda descriptor: descriptor.name)
@given(data=st.data())
@QUICK
def test_json_of_our_messages_is_what_protobuf_reads_and_writes(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    assume(not has_unknown_enum(message))
    fields, cls = to_fields(cut(message)), type(message)
    assert same(json_format.Parse(event_codec.message_json(descriptor, fields), cls()), message)
    assert same(to_message(cls, event_codec.message_fields(descriptor, json_format.MessageToJson(message))), message)


def test_fields_have_the_agreed_form() -> None:
    case = case_pb2.Case(case_id="c", state=case_pb2.CASE_STATE_PARALLEL, revision=3)
    case.reported_at.FromDatetime(NOW)
    case.tasks.add(task_id="t", role=case_pb2.TASK_ROLE_LEAD)
    fields = to_fields(case)
    assert fields["state"] == "parallel"
    assert fields["reported_at"] == NOW
    assert fields["reported_at"].tzinfo is dt.UTC
    assert fields["description"] == ""
    assert fields["tasks"][0]["role"] == "lead"
    assert fields["steps"] == []
    assert not {"point", "accepted_at", "severity", "reporter"} & fields.keys()


class Role(enum.StrEnum):
    LEAD = "lead"


class Task(msgspec.Struct, frozen=True):
    task_id: str
    role: Role
    after: tuple[str, ...] = ()
    private: int = 0  # unknown to the proto


class Case(msgspec.Struct, frozen=True):
    case_id: str
    tasks: tuple[Task, ...]
    reported_at: dt.datetime
    point: dict[str, float] | None = None


def test_structs_documents_and_messages_mix() -> None:
    case = Case("c", (Task("t", Role.LEAD, ("u",)),), NOW, {"longitude": 111.3, "latitude": 30.7})
    response = to_message(case_service_pb2.GetCaseResponse, {"case": case})
    assert response.case.tasks[0].role == case_pb2.TASK_ROLE_LEAD
    assert list(response.case.tasks[0].after) == ["u"]
    assert response.case.point.longitude == 111.3
    assert not response.case.HasField("closed_at")
    again = to_message(case_service_pb2.GetCaseResponse, {"case": response.case})
    assert again == response


def test_raw_documents_bring_their_id() -> None:
    document = {"_id": "c", "revision": 2, "state": "closed", "outbox": [], "commands": [], "tasks": None}
    case = to_message(case_pb2.Case, document, id_field="case_id")
    assert (case.case_id, case.revision, case.state) == ("c", 2, case_pb2.CASE_STATE_CLOSED)


@pytest.mark.parametrize(
    "source", [{"state": "nonsense"}, {"reported_at": NOW.replace(tzinfo=None)}, {"point": "x"}, {"tasks": 3}]
)
def test_defective_data_is_refused(source: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        to_message(case_pb2.Case, source)


def test_times_no_calendar_has_are_the_senders_fault() -> None:
    case = case_pb2.Case()
    case.reported_at.seconds = 10**15
    with pytest.raises(InvalidArgument) as caught:
        to_fields(case)
    assert caught.value.reason == "TIME_OUT_OF_RANGE"


class TaskCompleted(msgspec.Struct, frozen=True, rename="camel"):
    case_id: str
    task_id: str
    department: str
    completed_at: dt.datetime
    on_time: bool


class Unheard(msgspec.Struct, frozen=True):
    pass


event_codec.bind_events(module=__name__, events=events_pb2)


def test_events_are_found_by_the_name_of_their_struct() -> None:
    event = TaskCompleted("c", "t", "FIRE", NOW.astimezone(dt.timezone(dt.timedelta(hours=8))), on_time=False)
    assert event_type(event) == event_type(TaskCompleted) == "mediation.task_completed.v1"
    assert event_json(event) == b'{"caseId":"c","taskId":"t","department":"FIRE","completedAt":"2026-03-01T08:30:00.123Z"}'
    fields = event_fields("mediation.task_completed.v1", event_json(event))
    assert fields["completed_at"] == NOW
    assert fields["on_time"] is False
    assert fields["handler"] == ""


def test_undeclared_events_are_named() -> None:
    with pytest.raises(LookupError, match="no message Unheard"):
        event_type(Unheard())
    with pytest.raises(LookupError, match="unheard"):
        event_fields("mediation.unheard.v1", b"{}")
    with pytest.raises(LookupError, match="nowhere"):
        event_fields("nowhere.unheard.v1", b"{}")


def test_events_of_newer_publishers_are_understood_as_far_as_possible() -> None:
    data = b'{"caseId":"c","severity":"SEVERITY_S9","colour":"red","joinPolicy":"JOIN_POLICY_ALL"}'
    fields = event_fields("mediation.case_dispatched.v1", data)
    assert fields["join_policy"] == "all"
    assert "severity" not in fields
    assert "colour" not in fields


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"tasks":3}', b'{"dispatchedAt":"soon"}', b'{"point":[]}'])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        event_fields("mediation.case_dispatched.v1", data)
