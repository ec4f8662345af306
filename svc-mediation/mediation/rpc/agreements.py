"""AgreementService."""

from __future__ import annotations

import asyncio
from typing import Any

from binglian.mediation.v1 import agreement_service_pb2 as pb
from binglian.mediation.v1 import agreement_service_pb2_grpc

from mediation import papers
from mediation.dispute_store import AgreementNumbers
from mediation.domain.dispute import AgreementStatus, Dispute, Signature
from mediation.operations import agreements as operations
from mediation.rpc.mediating import Mediating, struct, terms
from mediation.rpc.translate import attachments
from svckit.access import current_caller
from svckit.audits import AuditKind, AuditLog
from svckit.documents import utc_now
from svckit.messages import to_fields, to_message
from svckit.store import Repository


class AgreementServicer(agreement_service_pb2_grpc.AgreementServiceServicer):
    """What mediators do with agreements, and the papers of a dispute."""

    def __init__(
        self, *, disputes: Repository[Dispute], numbers: AgreementNumbers, fonts: papers.Fonts, audit: AuditLog
    ) -> None:
        self._audit = audit
        self._numbers = numbers
        self._fonts = fonts
        self._mediating = Mediating(disputes)

    async def DraftAgreement(self, request: Any, context: Any) -> Any:
        """Writes the agreement."""
        number = await self._number(request.dispute_id)
        return await self._mediating.change(
            pb.DraftAgreementResponse,
            request,
            lambda dispute, by, now: operations.draft_agreement(
                dispute,
                number=number,
                facts=request.facts,
                terms=terms(request),
                touches_status=request.touches_status,
                by=by,
                now=now,
            ),
        )

    async def RecordOralAgreement(self, request: Any, context: Any) -> Any:
        """Records an oral agreement."""
        number = await self._number(request.dispute_id)
        return await self._mediating.change(
            pb.RecordOralAgreementResponse,
            request,
            lambda dispute, by, now: operations.agree_orally(
                dispute, number=number, facts=request.facts, terms=terms(request), by=by, now=now
            ),
        )

    async def _number(self, dispute_id: str) -> str:
        """Returns a new number for the first agreement of a dispute; "" when it has one, so that none is wasted."""
        dispute = await self._mediating.visible(dispute_id)
        if dispute.agreement:
            return ""
        return await self._numbers.next(committee=dispute.committee.code, at=utc_now())

    async def SignAgreement(self, request: Any, context: Any) -> Any:
        """Adds signatures."""
        now = utc_now()
        signatures = [
            struct(signature, Signature, **({} if signature.HasField("at") else {"at": now}))
            for signature in request.signatures
        ]
        return await self._mediating.change(
            pb.SignAgreementResponse,
            request,
            lambda dispute, by, now: operations.sign_agreement(
                dispute, signatures=signatures, scans=attachments(request.scans, field="scans"), by=by, now=now
            ),
        )

    async def ChangeAgreement(self, request: Any, context: Any) -> Any:
        """Moves the agreement on."""
        status = AgreementStatus(to_fields(request)["status"])
        return await self._mediating.change(
            pb.ChangeAgreementResponse,
            request,
            lambda dispute, by, now: operations.change_agreement(
                dispute,
                status=status,
                remark=request.remark,
                attachments=attachments(request.attachments, field="attachments"),
                by=by,
                now=now,
            ),
        )

    async def ApplyConfirmation(self, request: Any, context: Any) -> Any:
        """Records the joint application to a court."""
        return await self._mediating.change(
            pb.ApplyConfirmationResponse,
            request,
            lambda dispute, by, now: operations.apply_confirmation(
                dispute, court=request.court, applicants=tuple(request.applicants), by=by, now=now
            ),
        )

    async def DecideConfirmation(self, request: Any, context: Any) -> Any:
        """Records what the court decided."""
        return await self._mediating.change(
            pb.DecideConfirmationResponse,
            request,
            lambda dispute, by, now: operations.decide_confirmation(
                dispute,
                confirmed=request.confirmed,
                reference=request.reference,
                remark=request.remark,
                by=by,
                now=now,
            ),
        )

    async def RecordVisit(self, request: Any, context: Any) -> Any:
        """Records a visit."""
        return await self._mediating.change(
            pb.RecordVisitResponse,
            request,
            lambda dispute, by, now: operations.record_visit(
                dispute,
                text=request.text,
                performed=request.performed,
                attachments=attachments(request.attachments, field="attachments"),
                by=by,
                now=now,
            ),
        )

    async def CloseDispute(self, request: Any, context: Any) -> Any:
        """Closes a dispute."""
        return await self._mediating.change(
            pb.CloseDisputeResponse,
            request,
            lambda dispute, by, now: operations.close_dispute(dispute, by=by, now=now),
        )

    async def GetDisputePaper(self, request: Any, context: Any) -> Any:
        """Makes a paper. Setting type takes a third of a second of computing: other requests go on meanwhile."""
        dispute = await self._mediating.visible(request.dispute_id)
        fields = to_fields(request)
        sheet = papers.compose(dispute, paper=fields["paper"])
        form = fields.get("format", "pdf")
        file = await asyncio.to_thread(papers.render, sheet, format=form, fonts=self._fonts)
        await self._audit.begin(
            current_caller(),
            kind=AuditKind.DOWNLOAD,
            what=f"{fields['paper']}.{form}",
            query=request,
            dispute_id=dispute.dispute_id,
            rows=1,
            complete=True,
        )
        return to_message(pb.GetDisputePaperResponse, {"file": file})
