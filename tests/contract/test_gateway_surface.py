"""What the gateway offers, checked against the protos: every rpc is reachable or internal, and everything is described."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from gateway import schema
from gateway.openapi import build_document
from gateway.openapi.comments import comment_of
from gateway.rest import Requests, Responses
from gateway.routes import Router, parse
from gateway.transcode.query import make_setter

RPCS = schema.rpcs()
BINDINGS = [(rpc, binding) for rpc in RPCS for binding in rpc.bindings]
BODIES = {"POST", "PUT", "PATCH"}


def name(value: Any) -> str:
    return getattr(value, "path", "") or f"{getattr(value, 'verb', '')} {getattr(value, 'template', '')}"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build_document(public_url="http://localhost:8080", version="1")


@pytest.mark.parametrize("rpc", RPCS, ids=name)
def test_every_rpc_has_a_route_or_is_internal(rpc: schema.Rpc) -> None:
    assert bool(rpc.bindings) != rpc.internal


@pytest.mark.parametrize("rpc", RPCS, ids=name)
def test_every_rpc_declares_who_may_call_it(rpc: schema.Rpc) -> None:
    assert rpc.access is not None


@pytest.mark.parametrize(("rpc", "binding"), BINDINGS, ids=name)
def test_every_route_compiles_and_can_set_its_path_variables(rpc: schema.Rpc, binding: schema.Binding) -> None:
    Requests(rpc, binding)
    Responses(rpc, binding)
    for variable in parse(binding.template).variables:
        make_setter(rpc.method.input_type, variable.path)


@pytest.mark.parametrize(("rpc", "binding"), BINDINGS, ids=name)
def test_only_changes_have_a_body_and_streams_are_reads(rpc: schema.Rpc, binding: schema.Binding) -> None:
    assert not binding.body or binding.verb in BODIES
    assert not rpc.streams or binding.verb == "GET"


def test_no_two_rpcs_share_a_route() -> None:
    router: Router[str] = Router()
    for rpc, binding in BINDINGS:
        router.add(binding.verb, binding.template, rpc.path)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_the_document_has_every_route_and_nothing_internal(document: dict[str, Any]) -> None:
    operations = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    for rpc in RPCS:
        identity = f"{rpc.method.containing_service.name}_{rpc.method.name}"
        assert (identity in operations) != rpc.internal


def test_operations_fields_and_enums_are_described(document: dict[str, Any]) -> None:
    assert comment_of("binglian.mediation.v1.CaseService.ReportCase")
    for path in document["paths"].values():
        for operation in path.values():
            assert operation["summary"]
    for component, shape in document["components"]["schemas"].items():
        assert shape.get("description") or "." not in component, component
        for field, part in shape.get("properties", {}).items():
            assert part.get("description") or "." not in component, f"{component}.{field}"


def test_rules_of_the_protos_are_in_the_schemas(document: dict[str, Any]) -> None:
    report = document["components"]["schemas"]["mediation.v1.ReportCaseRequest"]
    assert {"requestId", "category", "description"} <= set(report["required"])
    assert report["properties"]["description"]["maxLength"] == 2000
    assert report["properties"]["photos"]["maxItems"] == 20
    point = document["components"]["schemas"]["type.v1.Point"]["properties"]["longitude"]
    assert (point["minimum"], point["maximum"]) == (-180, 180)


def test_every_status_a_service_can_answer_with_is_described(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    assert response["$ref"].rpartition("/")[2] in document["components"]["responses"], status
