"""What the protos of `binglian.*` declare: messages, rpcs, their REST routes and access rules. Nothing here is per resource.

Everything generated is found by walking the package `binglian`, so a new service needs no line in the gateway.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import binglian
from binglian.options.v1 import options_pb2
from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FileDescriptor, MethodDescriptor


@dataclass(frozen=True, slots=True)
class Binding:
    """One REST route of an rpc: `GET /v1/cases/{case_id}`, what the body fills and what the response shows of the message."""

    verb: str
    template: str
    body: str = ""
    response_body: str = ""


@dataclass(frozen=True, slots=True)
class Rpc:
    """An rpc as the gateway sees it."""

    method: MethodDescriptor
    path: str
    service: str
    bindings: tuple[Binding, ...]
    access: options_pb2.Access | None

    @property
    def internal(self) -> bool:
        """Whether it is meant for other services only."""
        return bool(self.access and self.access.internal)

    @property
    def streams(self) -> bool:
        """Whether the server answers with a stream."""
        return bool(self.method.server_streaming)


@cache
def files() -> tuple[FileDescriptor, ...]:
    """Imports all generated modules of `binglian` and returns their files in order of name."""
    found: dict[str, FileDescriptor] = {}
    for module in pkgutil.walk_packages(binglian.__path__, prefix="binglian."):
        if module.name.endswith("_pb2"):
            file = importlib.import_module(module.name).DESCRIPTOR
            found[file.name] = file
    return tuple(found[name] for name in sorted(found))


@cache
def rpcs() -> tuple[Rpc, ...]:
    """Every rpc of every service."""
    return tuple(
        _rpc(method, file) for file in files() for service in file.services_by_name.values() for method in service.methods
    )


def messages() -> Iterator[Descriptor]:
    """Every message type, nested ones too, without the entries of maps."""
    for file in files():
        for descriptor in file.message_types_by_name.values():
            yield from _with_nested(descriptor)


def _with_nested(descriptor: Descriptor) -> Iterator[Descriptor]:
    if descriptor.GetOptions().map_entry:
        return
    yield descriptor
    for nested in descriptor.nested_types:
        yield from _with_nested(nested)


def _rpc(method: MethodDescriptor, file: FileDescriptor) -> Rpc:
    options: Any = method.GetOptions()
    access = options.Extensions[options_pb2.access] if options.HasExtension(options_pb2.access) else None
    rule: HttpRule = options.Extensions[annotations_pb2.http]
    return Rpc(
        method=method,
        path=f"/{method.containing_service.full_name}/{method.name}",
        service=service_of(file.package),
        bindings=tuple(_binding(part) for part in (rule, *rule.additional_bindings) if part.WhichOneof("pattern")),
        access=access,
    )


def service_of(package: str) -> str:
    """Returns the service that owns a proto package, as it is named in addresses: "fire_safety" for binglian.fire_safety.v1."""
    return package.split(".")[1]


def _binding(rule: HttpRule) -> Binding:
    kind = rule.WhichOneof("pattern")
    if kind == "custom":
        return Binding(rule.custom.kind.upper(), rule.custom.path, rule.body, rule.response_body)
    return Binding(str(kind).upper(), getattr(rule, str(kind)), rule.body, rule.response_body)
