"""The timers of privacy in the worker: deadlines of requests, anchors and alerts of the audit trail, retention."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import cached_property, partial

from nameko.timer import timer
from pymongo.errors import EncryptionError, PyMongoError

from population.config import CommandSettings
from population.domain.audit_alert import AuditAlert
from population.domain.data_request import DataRequest
from population.domain.resident import Resident
from population.operations import data_rights
from population.privacy.alerting import watch
from population.privacy.anchoring import anchor
from population.privacy.keyring import open_ring
from population.privacy.retention import Retention
from svckit.bus import Documents
from svckit.config import ConfigError, from_env
from svckit.documents import Decide, utc_now
from svckit.due import DueDocuments
from svckit.errors import Unavailable
from svckit.lease import Lease

_log = logging.getLogger(__name__)


class Watching:
    """Mixed into the worker."""

    data_requests = Documents("data_requests", state_cls=DataRequest, id_field="data_request_id")
    audit_alerts = Documents("audit_alerts", state_cls=AuditAlert, id_field="alert_id")
    people = Documents("residents", state_cls=Resident, id_field="resident_id")

    @timer(interval=5)
    def remind_of_requests(self) -> None:
        """Says which requests were not answered in time."""
        DueDocuments(self.data_requests, field="remind_at", decide=_reminding).work()

    @timer(interval=10)
    def anchor_audit(self) -> None:
        """Anchors the audit trail."""
        database = self.people.collection.database
        try:
            if Lease(database["leases"], "audit.anchor", seconds=30).hold():
                anchor(database, key=self._audit_key, now=utc_now())
        except (PyMongoError, EncryptionError, ConfigError) as error:
            _log.warning("the audit trail is not anchored: %s", error)

    @timer(interval=5)
    def watch_audit(self) -> None:
        """Alerts about what somebody did too often, or at all."""
        try:
            if Lease(self.audit_alerts.collection.database["leases"], "audit.alerts", seconds=30).hold():
                watch(self.audit_alerts, now=utc_now())
        except (PyMongoError, Unavailable) as error:
            _log.warning("alerts wait: %s", type(error).__name__)

    @timer(interval=30)
    def retain(self) -> None:
        """Removes what must go."""
        Retention(self.people).work()

    @cached_property
    def _audit_key(self) -> bytes:
        return open_ring(from_env(CommandSettings), self.people.collection.database).audit_key()


def _reminding(now: datetime) -> Decide:
    return partial(data_rights.remind, now=now)
