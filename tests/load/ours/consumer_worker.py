"""A worker of ours whose handler writes one document a message, each guarded by its revision and remembered by the event's id."""

import sys

from svckit.worker import run_worker  # isort: skip – patches sockets, so it comes first

import msgspec

from svckit.bus import Documents, Event, handles
from svckit.config import Settings, from_env


class Row(msgspec.Struct, frozen=True):
    """What a message leaves behind."""

    row_id: str
    revision: int = 0
    text: str = ""


class Worker:
    """One handler."""

    name = "loadconsumer"
    rows = Documents("rows", state_cls=Row, id_field="row_id")

    @handles("consumed")
    def take(self, events: list[Event]) -> None:
        """Creates the document of every event."""
        self.rows.apply(
            [event.change(id=event.subject, decide=lambda _, id=event.subject: (Row(id, text="done"), ())) for event in events]
        )


if __name__ == "__main__":
    run_worker(service="loadconsumer", settings=from_env(Settings), documents=(), worker=Worker, exchange=sys.argv[1])
