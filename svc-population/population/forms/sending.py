"""Requests on their way to the service, in the name of whoever brings the submissions: nothing passes that they could not do by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc
from binglian.population.v1 import care_pb2, care_pb2_grpc, collection_pb2, collection_service_pb2, collection_service_pb2_grpc

from population.domain.collection import FieldCheck
from population.policies.collection import check_complete
from svckit.documents import utc_now
from svckit.errors import FailedPrecondition, NotFound, ServiceError, Unavailable
from svckit.statuses import error_of

TIMEOUT = 20.0
"""Seconds one call may take."""
PATIENCE = 60.0
"""Seconds a call is tried again while the suite is out of reach; every one may be repeated, its request id says which it is."""
_PAGE = 200
_OPTIONS = (("grpc.keepalive_time_ms", 20_000), ("grpc.max_reconnect_backoff_ms", 2_000))
Metadata = list[tuple[str, str]]


def channel_to(edge: str) -> grpc.Channel:
    """Returns a channel to the entry of a suite, with TLS where its address begins with https."""
    scheme, _, rest = edge.partition("://")
    host = rest.rstrip("/")
    if scheme == "https":
        target = host if ":" in host else f"{host}:443"
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=_OPTIONS)
    return grpc.insecure_channel(host if ":" in host else f"{host}:80", options=_OPTIONS)


class Service:
    """The service as one worker sees it; `metadata` gives the authorization anew for every call."""

    def __init__(self, channel: grpc.Channel, *, metadata: Callable[[], Metadata], patience: float = PATIENCE) -> None:
        self._collection = collection_service_pb2_grpc.CollectionServiceStub(channel)
        self._care = care_pb2_grpc.CareServiceStub(channel)
        self._metadata = metadata
        self._patience = patience
        self._plans: dict[str, care_pb2.VisitPlan] = {}

    def send(self, form: str, request: Any) -> None:
        """Sends a submission; repeated, it changes nothing. Raises ServiceError, of which Unavailable means: later."""
        self._call(self._verbs()[form], request)

    def look(self, form: str, request: Any) -> None:
        """Looks whether what a submission is about is there, and is asked for; writes nothing. Raises ServiceError."""
        if form == "care_visit":
            self._look_for_plan(request.plan_id)
            return
        named = collection_service_pb2.GetFieldLedgerRequest(resident_id=request.resident_id)
        ledger = self._call(self._collection.GetFieldLedger, named).ledger
        if form == "field_check":
            _check_asked(ledger, request)

    def _verbs(self) -> Mapping[str, Any]:
        return {
            "collection": self._collection.SubmitFields,
            "field_check": self._collection.CompleteFieldCheck,
            "care_visit": self._care.RecordVisit,
        }

    def _look_for_plan(self, plan_id: str) -> None:
        if not self._plans:
            self._plans = {plan.plan_id: plan for plan in self._active_plans()}
        if plan_id not in self._plans:
            message = "There is no such plan of visits, it has ended, or it is not the caller's."
            raise NotFound(message, reason="VISIT_PLAN_NOT_FOUND", field="plan_id")

    def _active_plans(self) -> Iterator[care_pb2.VisitPlan]:
        token = ""
        while True:
            page = self._call(self._care.ListVisitPlans, care_pb2.ListVisitPlansRequest(page_size=_PAGE, page_token=token))
            yield from page.plans
            token = page.next_page_token
            if not token:
                return

    def _call(self, verb: Any, request: Any) -> Any:
        give_up, pause = time.monotonic() + self._patience, 0.2
        while True:
            try:
                return verb(request, metadata=self._metadata(), timeout=TIMEOUT)
            except grpc.RpcError as failure:
                error: ServiceError = error_of(failure)  # type: ignore[arg-type]  # reads what both kinds of errors have
                if not isinstance(error, Unavailable) or time.monotonic() > give_up:
                    raise error from None
            time.sleep(pause)
            pause = min(pause * 2, 3.0)


def _check_asked(ledger: collection_pb2.FieldLedger, request: Any) -> None:
    """Raises FailedPrecondition (CHECK_OVER), InvalidArgument (FIELD_NOT_ASKED, FIELD_MISSING, FIELD_TWICE)."""
    if not ledger.HasField("check") or ledger.check.check_id != request.check_id:
        raise FailedPrecondition("This order was done before.", reason="CHECK_OVER", field="check_id")
    now = utc_now()
    check = FieldCheck(
        check_id=request.check_id,
        fields=tuple(ledger.check.fields),
        sources=tuple(ledger.check.sources),
        opened_at=now,
        due_at=now,
    )
    check_complete(check, found=frozenset(one.field for one in request.found), declined=frozenset(request.declined))
