"""The document as a whole: one operation per route of the protos, and the routes the gateway has of its own."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Iterator
from typing import Any

import grpc
import yaml
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from gateway import schema
from gateway.downloads import is_download
from gateway.errors import STATUS, title_of
from gateway.openapi.comments import comment_of
from gateway.openapi.rules import required
from gateway.openapi.schemas import Schemas
from gateway.routes import parse
from gateway.schema import Binding, Rpc
from gateway.transcode.query import settable

Json = dict[str, Any]
_DEPTH = 3  # how deep query parameters of nested messages are listed
_ALWAYS = (400, 401, 403, 503, 504)
_CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b|\bABORTED\b")


def build_document(*, public_url: str, version: str, issuer: str = "") -> Json:
    """Returns the OpenAPI 3.1 document. `issuer` is where tokens come from; the gateway itself by default."""
    schemas = Schemas()
    document = _fixed()
    for rpc in schema.rpcs():
        for index, binding in enumerate(rpc.bindings):
            path = document["paths"].setdefault(_path(binding.template), {})
            path[binding.verb.lower()] = _operation(rpc, binding, index, schemas)
    document["info"]["version"] = version
    document["servers"] = [{"url": "/", "description": "Where this document came from."}, {"url": public_url}]
    document["tags"] = [*_tags(), *document["tags"]]
    document["components"]["schemas"].update(dict(sorted(schemas.components.items())))
    document["components"]["responses"].update({str(status): _problem(status) for status in sorted(set(STATUS.values()))})
    token_url = f"{issuer or public_url}/oauth2/token"
    for flow in document["components"]["securitySchemes"]["oauth2"]["flows"].values():
        flow["tokenUrl"] = token_url
    return document


def _fixed() -> Json:
    text = (importlib.resources.files("gateway.openapi") / "fixed.yaml").read_text(encoding="utf-8")
    document: Json = yaml.safe_load(text)
    return document


def _tags() -> list[Json]:
    services = [service for file in schema.files() for service in file.services_by_name.values()]
    with_routes = {rpc.method.containing_service.full_name for rpc in schema.rpcs() if rpc.bindings}
    return [
        {"name": service.name, "description": comment_of(service.full_name)}
        for service in services
        if service.full_name in with_routes
    ]


def _path(template: str) -> str:
    """OpenAPI knows plain variables only: `{name=shelves/*}` becomes `{name}`."""
    return re.sub(r"=[^}]*\}", "}", template)


def _problem(status: int) -> Json:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": title_of(status), "content": content}


def _operation(rpc: Rpc, binding: Binding, index: int, schemas: Schemas) -> Json:
    text = comment_of(rpc.method.full_name)
    operation: Json = {
        "operationId": f"{rpc.method.containing_service.name}_{rpc.method.name}" + (f"_{index}" if index else ""),
        "tags": [rpc.method.containing_service.name],
        "summary": _summary(text),
        "description": "\n\n".join(part for part in (text, _who(rpc)) if part),
        "parameters": [*_parameters(rpc, binding, schemas), *_headers(rpc)],
        "responses": {"200": _answer(rpc, binding, schemas), **_problems(text)},
    }
    if binding.body:
        operation["requestBody"] = _body(rpc, binding, schemas)
    if rpc.access and rpc.access.public:
        operation["security"] = []
    return operation


def _summary(text: str) -> str:
    sentence = re.split(r"(?<=[.;:])\s", text.replace("\n", " "), maxsplit=1)[0]
    return sentence.rstrip(".;:")


def _who(rpc: Rpc) -> str:
    access = rpc.access
    if access is None or access.public:
        return ""
    roles = f"Roles: {', '.join(access.roles)}." if access.roles else "Any caller with a valid token."
    purposes = f" Purpose to state in `x-purpose`: {', '.join(access.purposes)}." if access.purposes else ""
    return roles + purposes


def _problems(text: str) -> Json:
    named = {STATUS[grpc.StatusCode[code]] for code in _CODE.findall(text) if code in grpc.StatusCode.__members__}
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted({*_ALWAYS, *named})}


# ---------------------------------------------------------------------------------------------------- what goes in


def _variables(binding: Binding) -> frozenset[str]:
    return frozenset(variable.path for variable in parse(binding.template).variables)


def _parameters(rpc: Rpc, binding: Binding, schemas: Schemas) -> Iterator[Json]:
    bound = _variables(binding)
    for path in sorted(bound):
        field = _field(rpc.method.input_type, path)
        yield {"name": path, "in": "path", "required": True, **_described(schemas.of_field(field))}
    if binding.body != "*":
        taken = bound | {binding.body}
        yield from _query(rpc.method.input_type, "", taken, schemas, 1)


def _field(descriptor: Descriptor, path: str) -> FieldDescriptor:
    head, _, rest = path.partition(".")
    field = descriptor.fields_by_name[head]
    return _field(field.message_type, rest) if rest and field.message_type else field


def _query(descriptor: Descriptor, prefix: str, taken: frozenset[str], schemas: Schemas, depth: int) -> Iterator[Json]:
    for field in descriptor.fields:
        if not prefix and field.name in taken:
            continue
        name = prefix + field.json_name
        if settable(field):
            yield {
                "name": name,
                "in": "query",
                "required": required(field) and not prefix,
                **_described(schemas.of_field(field)),
            }
        elif field.message_type and not field.is_repeated and depth < _DEPTH:
            yield from _query(field.message_type, f"{name}.", taken, schemas, depth + 1)


def _described(shape: Json) -> Json:
    """Moves the description from the schema to the parameter, where readers look for it."""
    description = shape.pop("description", "")
    return {"schema": shape, "description": description} if description else {"schema": shape}


def _headers(rpc: Rpc) -> Iterator[Json]:
    if rpc.access and rpc.access.purposes:
        purposes = {"type": "string", "enum": list(rpc.access.purposes)}
        yield {
            "name": "x-purpose",
            "in": "header",
            "required": True,
            "schema": purposes,
            "description": "Why the data is read.",
        }
    if rpc.streams and "cursor" in rpc.method.input_type.fields_by_name:
        yield {"$ref": "#/components/parameters/LastEventId"}
    if not rpc.streams:
        yield {"$ref": "#/components/parameters/Timeout"}


def _body(rpc: Rpc, binding: Binding, schemas: Schemas) -> Json:
    request = rpc.method.input_type
    bound = _variables(binding)
    if binding.body != "*":
        shape = schemas.of_field(request.fields_by_name[binding.body])
    elif bound:
        shape = schemas.object_of(request, without=bound)
    else:
        shape = schemas.of_message(request)
    return {"required": True, "content": {"application/json": {"schema": shape}}}


# ---------------------------------------------------------------------------------------------------- what comes out


def _answer(rpc: Rpc, binding: Binding, schemas: Schemas) -> Json:
    if is_download(rpc, binding):
        return {"description": "The file.", "content": {"application/octet-stream": {"schema": {"type": "string"}}}}
    response = rpc.method.output_type
    shape = (
        schemas.of_field(response.fields_by_name[binding.response_body])
        if binding.response_body
        else schemas.of_message(response)
    )
    if not rpc.streams:
        return {"description": "Done.", "content": {"application/json": {"schema": shape}}}
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": shape}
    return {
        "description": "A stream that ends only when either side ends it; come back with the last `id` to go on.",
        "content": {
            "text/event-stream": {"schema": {**data, "description": "The data of every event; its id is the cursor."}},
            "application/x-ndjson": {"schema": {**data, "description": "Every line."}},
        },
    }
