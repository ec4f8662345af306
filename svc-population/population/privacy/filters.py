"""What a list may be narrowed by: a filter on what the caller may not see would tell it all the same, line by line."""

from __future__ import annotations

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from svckit.access import Caller
from svckit.errors import PermissionDenied
from svckit.masking import is_hidden, sensitivity_of
from svckit.purposes import level_for, shown_by
from svckit.wellknown import is_map, part_of


def filters_of(method: MethodDescriptor) -> dict[str, FieldDescriptor]:
    """Returns, for an rpc that lists, the hidden field of its lines that each filter of the same name is about. Other rpcs have none:
    who looks somebody up by a number knows the number.
    """
    if not method.name.startswith("List"):
        return {}
    lines = [part_of(field) for field in method.output_type.fields if _is_list(field)]
    return {asked.name: shown for asked in method.input_type.fields if (shown := _hidden(lines, asked.name)) is not None}


def check_filters(filters: dict[str, FieldDescriptor], caller: Caller, request: Message) -> None:
    """Raises PermissionDenied (PURPOSE_REQUIRED) for a filter on something the stated purpose does not show."""
    shown = level_for(caller.purpose)
    for name, field in filters.items():
        if getattr(request, name) and is_hidden(field, hides=shown + 1):
            raise PermissionDenied(
                f"Only for a purpose that shows {name} can a list be narrowed by it: state it in x-purpose.",
                reason="PURPOSE_REQUIRED",
                field=name,
                metadata={"purposes": ",".join(_showing(field))},
            )


def _showing(field: FieldDescriptor) -> list[str]:
    return sorted(code for code, level in shown_by().items() if level >= sensitivity_of(field))


def _hidden(lines: list[Descriptor], name: str) -> FieldDescriptor | None:
    found = (line.fields_by_name[name] for line in lines if name in line.fields_by_name)
    return next((field for field in found if is_hidden(field)), None)


def _is_list(field: FieldDescriptor) -> bool:
    return bool(field.is_repeated and field.message_type and not is_map(field))
