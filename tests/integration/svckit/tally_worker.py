"""The worker process of the tests: counts what it is told about; some messages make it stumble.

Run as `python -m tests.integration.svckit.tally_worker SERVICE EXCHANGE`, with the addresses in the environment.
"""

from svckit.worker import run_worker  # isort: skip - patches the sockets, so it comes first

import json
import random
import sys
import time
from typing import Any

import msgspec
from mongoengine import Document, StringField

from svckit.bus import Documents, Event, Unprocessable, handles
from svckit.config import Settings, from_env
from svckit.errors import FailedPrecondition


class Tally(msgspec.Struct, frozen=True):
    tally_id: str
    count: int = 0
    numbers: tuple[int, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    tally_id: str
    count: int


class TallyDocument(Document):
    meta = {"collection": "tallies", "strict": False}  # noqa: RUF012 - mongoengine's way
    id = StringField(primary_key=True)


def counting(event: Event, number: int) -> Any:
    def decide(tally: Tally | None) -> tuple[Tally, tuple[Counted, ...]]:
        before = tally or Tally(event.subject)
        after = msgspec.structs.replace(before, count=before.count + 1, numbers=(*before.numbers, number))
        return after, (Counted(after.tally_id, after.count),)

    return decide


def worker_of(service: str) -> type:
    class Worker:
        name = service
        retired = ("tell",)
        stumbled: set[str] = set()  # noqa: RUF012 - lives as long as the process

        tallies = Documents(
            "tallies",
            state_cls=Tally,
            id_field="tally_id",
            encode=lambda event: (f"{service}.counted.v1", msgspec.json.encode(event)),
        )

        @handles(f"{service}.told.v1", f"{service}.whispered.v1")
        def count(self, events: list[Event]) -> None:
            told = [(event, self.look_at(event)) for event in events]
            time.sleep(random.choice((0, 0, 0.001, 0.02)))
            outcomes = self.tallies.apply(
                [event.change(id=event.subject, decide=counting(event, number)) for event, number in told]
            )
            assert not [one for one in outcomes if isinstance(one, Exception)]

        def look_at(self, event: Event) -> int:
            told = json.loads(event.data)
            match told.get("mood"):
                case "slow":
                    time.sleep(told["seconds"])
                case "hopeless":
                    raise Unprocessable("nobody can do this")
                case "refused":
                    raise FailedPrecondition("Not in this state.", reason="NOT_NOW")
                case "stumbles" if event.id not in self.stumbled:
                    self.stumbled.add(event.id)
                    raise KeyError("only the first time")
                case "deadly":
                    sys.stderr.write("dying\n")
                    __import__("os")._exit(9)
            return int(told["number"])

    return Worker


if __name__ == "__main__":
    run_worker(
        service=sys.argv[1],
        settings=from_env(Settings),
        documents=(TallyDocument,),
        worker=worker_of(sys.argv[1]),
        exchange=sys.argv[2],
    )
