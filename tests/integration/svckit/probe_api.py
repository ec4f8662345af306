"""A service small enough to see through: notes that are created, changed and watched. `python …/probe_api.py <service>`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import mongoengine
import msgspec
from binglian.mediation.v1 import events_pb2

sys.path.insert(0, str(Path(__file__).parents[3]))

from svckit.access import current_caller
from svckit.api import Api, run_api
from svckit.config import Settings, from_env
from svckit.documents import Command
from svckit.ids import new_id
from tests.probe import pb, pb_grpc


class Note(msgspec.Struct, frozen=True):
    note_id: str
    text: str


class CaseClosed(msgspec.Struct, frozen=True):
    case_id: str
    closed_at: dt.datetime


class NoteDocument(mongoengine.Document):
    meta: ClassVar = {"collection": "notes", "auto_create_index": False, "indexes": ["text"]}
    note_id = mongoengine.StringField(primary_key=True)
    text = mongoengine.StringField()


class Probe(pb_grpc.ProbeServiceServicer):
    def __init__(self, api: Api) -> None:
        self.api = api
        self.notes = api.repository(Note, collection="notes", id_field="note_id", events=events_pb2)

    async def Open(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse(text="open")

    async def AnyToken(self, request: Any, context: Any) -> Any:
        note = Note(new_id(), request.act)
        event = CaseClosed(note.note_id, dt.datetime.now(dt.UTC))
        made = await self.notes.create(
            note.note_id, note, (event,), command=Command(f"{current_caller().subject}:{request.act}", "")
        )
        return pb.ProbeResponse(text=made.note_id)

    async def Take(self, requests: Any, context: Any) -> Any:
        return pb.ProbeResponse(text=str([request.act async for request in requests]))

    async def ForRole(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse()

    async def ForPurpose(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse()

    async def Undeclared(self, request: Any, context: Any) -> Any:
        return pb.ProbeResponse()

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        async with self.api.live.watch() as changes:
            yield pb.ProbeResponse(text="watching")
            async for ids in changes:
                for id in ids:
                    yield pb.ProbeResponse(text=(await self.notes.get(id)).text)


if __name__ == "__main__":
    run_api(
        service=sys.argv[1],
        settings=from_env(Settings),
        documents=[NoteDocument],
        servicers=lambda api: [(pb_grpc.add_ProbeServiceServicer_to_server, Probe(api))],
    )
