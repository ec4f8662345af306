"""docs/events.md: every fact the services publish, its data, and who consumes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from binglian.options.v1 import options_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet

ROOT = Path(__file__).parent.parent.parent
DESCRIPTORS = ROOT / "proto" / "gen" / "binglian" / "descriptors.binpb"
_MESSAGES_OF_FILE = 4  # field number of message_type in FileDescriptorProto: how source locations name a message

_HEAD = """# Events

Written by `make docs` from the protos and the `@handles` of the workers; do not edit.

Every event is a CloudEvent 1.0 in AMQP's binary mode: its type is the routing key on the topic exchange `binglian`, its data the proto3
JSON of the message. Consumers ignore fields they do not know.
"""


def render() -> str:
    """The whole document as Markdown."""
    consumers = find_consumers()
    parts = [_HEAD]
    for file in _event_files():
        rows = [_row(file, number, message, consumers) for number, message in enumerate(file.message_type) if _event(message)]
        if rows:
            service = file.package.split(".")[1].replace("_", "-")
            parts.append(
                f"## svc-{service}\n\n| event | meaning | data | consumed by |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
            )
    return "\n".join(parts)


def find_consumers() -> dict[str, list[str]]:
    """Event type → the handlers that take it, as `svc-housing: follow_tasks`."""
    command = [sys.executable, "-W", "ignore", "-m", "deploy.docs.subscriptions"]
    answer = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, list[str]] = {}
    for service, handlers in json.loads(answer.stdout).items():
        for handler, types in handlers.items():
            for key in types:
                found.setdefault(key, []).append(f"{service}: {handler}")
    return found


def matches(pattern: str, key: str) -> bool:
    """Whether an AMQP topic pattern (`*` one word, `#` any number) takes a routing key."""
    return _matches(pattern.split("."), key.split("."))


def _matches(pattern: list[str], words: list[str]) -> bool:
    if not pattern:
        return not words
    if pattern[0] == "#":
        return any(_matches(pattern[1:], words[skip:]) for skip in range(len(words) + 1))
    return bool(words) and pattern[0] in ("*", words[0]) and _matches(pattern[1:], words[1:])


def _event_files() -> Iterator[FileDescriptorProto]:
    descriptors = FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    ours = (file for file in descriptors.file if file.package.startswith("binglian."))
    return iter(sorted(ours, key=lambda file: file.name))


def _event(message: DescriptorProto) -> str:
    return str(message.options.Extensions[options_pb2.event])


def _row(file: FileDescriptorProto, number: int, message: DescriptorProto, consumers: dict[str, list[str]]) -> str:
    key = _event(message)
    names = sorted({name for pattern, handlers in consumers.items() if matches(pattern, key) for name in handlers})
    fields = ", ".join(_field(field) for field in message.field)
    return f"| `{key}` | {_comment(file, number)} | {fields} | {'<br>'.join(names) or '–'} |"


def _field(field: FieldDescriptorProto) -> str:
    repeated = "[]" if field.label == FieldDescriptorProto.LABEL_REPEATED else ""
    return f"`{field.json_name}{repeated}`"


def _comment(file: FileDescriptorProto, number: int) -> str:
    for location in file.source_code_info.location:
        if list(location.path) == [_MESSAGES_OF_FILE, number]:
            return " ".join(location.leading_comments.split())
    return ""
