"""What a client learns when a call is refused."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True)
class Refusal:
    """Status code by name, our reason, the fields that were wrong, the metadata of the reason."""

    code: str
    reason: str
    fields: tuple[str, ...]
    metadata: dict[str, str]


def refusal(call: Callable[..., Any], *arguments: Any, **named: Any) -> Refusal:
    """Makes a blocking gRPC call that must be refused and returns what was said."""
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **named)
    return told(caught.value)


@contextlib.contextmanager
def refused(code: grpc.StatusCode, reason: str) -> Iterator[None]:
    """A block whose gRPC call must be refused like this."""
    with pytest.raises(grpc.RpcError) as caught:
        yield
    said = told(caught.value)
    assert (said.code, said.reason) == (code.name, reason), caught.value


def told(error: Any) -> Refusal:
    """Returns what a gRPC error says."""
    status = status_pb2.Status()
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            status.ParseFromString(value)
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        for message in (info, bad):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    fields = tuple(violation.field for violation in bad.field_violations)
    return Refusal(error.code().name, info.reason, fields, dict(info.metadata))
