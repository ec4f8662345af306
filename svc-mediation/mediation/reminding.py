"""The worker's part in disputes: a timer turns the lights of mediations and tells mediators what has to be done. Never reaches grpc."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from nameko.timer import timer

from mediation.domain.dispute import Dispute
from mediation.operations.dispute_flow import remind
from svckit.batch import BatchRepository
from svckit.bus import Documents
from svckit.documents import Decide
from svckit.due import DueDocuments


class Reminding:
    """What MediationWorker does about disputes."""

    disputes = Documents("disputes", state_cls=Dispute, id_field="dispute_id")

    @timer(interval=2)
    def remind_mediators(self) -> None:
        """Turns every light and fires every reminder whose time has come, also while no worker ran: oldest first, once."""
        _due_of(self.disputes).work()


@cache
def _due_of(disputes: BatchRepository[Dispute]) -> DueDocuments[Dispute]:
    return DueDocuments(disputes, field="next_due_at", decide=_reminding)


def _reminding(now: datetime) -> Decide:
    def decide(dispute: Dispute | None) -> tuple[Dispute | None, tuple[Any, ...]]:
        return remind(dispute, now=now) if dispute else (None, ())

    return decide
