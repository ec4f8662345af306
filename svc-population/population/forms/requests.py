"""Submissions as requests: questions are named like the fields of the request they fill, so the contract says how to read them.

Checked here as the service checks them (rules of the protos, words that must not be kept), so that a rehearsal without a server says most
of what would be refused. An answer left empty is a field left out; an entry of a repeat group in which nothing was answered is none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from binglian.population.v1 import care_pb2, collection_service_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from population.forms.submissions import Submission
from population.imports.mapping import RowError
from population.policies.requests import CHINA_TIME
from population.privacy.texts import check_request
from svckit.errors import ServiceError
from svckit.validation import validator_of

REQUESTS: Mapping[str, type[Message]] = {
    "collection": collection_service_pb2.SubmitFieldsRequest,
    "field_check": collection_service_pb2.CompleteFieldCheckRequest,
    "care_visit": care_pb2.RecordVisitRequest,
}
"""Form → the request a submission of it is."""
_CHECKS = {name: validator_of(request) for name, request in REQUESTS.items()}
_TRUTH = {"true": True, "false": False, "1": True, "0": False}


class Photos(msgspec.Struct, frozen=True, kw_only=True):
    """Where photographs lie: a link with {key} and {name} in it, "" if nobody said; `digest` gives the SHA-256 of one that is at hand."""

    link: str
    digest: Callable[[str], str]


def repeats_of(form: str) -> list[str]:
    """Returns the repeat groups of a form."""
    return [field.name for field in REQUESTS[form].DESCRIPTOR.fields if field.is_repeated and _is_group(field)]


def request_of(form: str, submission: Submission, *, photos: Photos) -> Any:
    """Returns the request of a submission. Raises RowError with field and reason, without any of its answers."""
    if not submission.key:
        raise RowError(
            field="KEY", reason="KEY_MISSING", message="The submission has no id, so nobody could tell it from another."
        )
    request = REQUESTS[form](**_fields(REQUESTS[form].DESCRIPTOR.fields, submission, photos))
    request.request_id = submission.key  # type: ignore[attr-defined]
    try:
        _CHECKS[form](request)
        check_request(request)
    except ServiceError as error:
        raise RowError(field=error.field, reason=error.reason, message=error.message) from error
    return request


def _fields(fields: Any, submission: Submission, photos: Photos) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        if field.is_repeated and _is_group(field):
            entries = [_entry(field, row, submission.key, photos) for row in submission.repeats[field.name]]
            found[field.name] = [entry for entry in entries if entry]
        elif text := submission.answers.get(field.name):
            found[field.name] = text.split() if field.is_repeated else _value(field, text)
    return found


def _entry(group: FieldDescriptor, row: Mapping[str, str], key: str, photos: Photos) -> dict[str, Any]:
    """One entry of a repeat group, {} where nothing was answered."""
    assert group.message_type is not None
    found = {field.name: _value(field, row[field.name]) for field in group.message_type.fields if row.get(field.name)}
    if "uri" in found:
        found |= _photo(str(found["uri"]), key, photos)
    return found


def _photo(name: str, key: str, photos: Photos) -> dict[str, str]:
    if "://" in name:
        return {"uri": name}
    if not photos.link:
        message = "Say where the photographs lie (--photos)."
        raise RowError(field="evidence.uri", reason="PHOTOS_UNPLACED", message=message)
    # Not str.format: whoever writes a link writes other braces, too.
    link = photos.link.replace("{key}", quote(f"uuid:{key}", safe=":")).replace("{name}", quote(name))
    return {"uri": link, "sha256": photos.digest(name)}


def _value(field: FieldDescriptor, text: str) -> Any:
    if field.message_type is not None:
        return _moment(field.name, text)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return _taken(field.name, text.lower(), _TRUTH)
    if field.cpp_type == FieldDescriptor.CPPTYPE_INT64:
        raise RowError(field=field.name, reason="FIELD_UNKNOWN", message="No form asks for this.")
    return text


def _taken(name: str, text: str, values: Mapping[str, Any]) -> Any:
    if text not in values:
        raise RowError(field=name, reason="CODE_UNKNOWN", message=f"The answer is {' or '.join(values)}.")
    return values[text]


def _moment(name: str, text: str) -> Timestamp:
    """A time as devices write it; without a zone it is China's."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RowError(field=name, reason="DATE_INVALID", message="A time is needed as RFC 3339 writes it.") from None
    found = Timestamp()
    found.FromDatetime((moment if moment.tzinfo else moment.replace(tzinfo=CHINA_TIME)).astimezone(dt.UTC))
    return found


def _is_group(field: Any) -> bool:
    return field.message_type is not None and not field.message_type.full_name.startswith("google.")
