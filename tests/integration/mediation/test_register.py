"""The register of committees and the records of who took data away, through real processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from binglian.mediation.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    audit_pb2,
    audit_service_pb2,
    audit_service_pb2_grpc,
    committee_pb2,
    committee_service_pb2,
    committee_service_pb2_grpc,
    dispute_pb2,
    dispute_service_pb2,
    dispute_service_pb2_grpc,
    search_service_pb2,
    search_service_pb2_grpc,
)
from google.protobuf.field_mask_pb2 import FieldMask

from svckit.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, ServiceError
from svckit.grpc_client import Channel
from svckit.ids import new_id
from tests.integration.mediation.stack import Person, Stack

pytestmark = pytest.mark.integration
CITY = "4211"
CODE = "421102001003"
MODULES = (
    (committee_service_pb2, committee_service_pb2_grpc.CommitteeServiceStub),
    (audit_service_pb2, audit_service_pb2_grpc.AuditServiceStub),
    (search_service_pb2, search_service_pb2_grpc.SearchServiceStub),
    (dispute_service_pb2, dispute_service_pb2_grpc.DisputeServiceStub),
    (agreement_service_pb2, agreement_service_pb2_grpc.AgreementServiceStub),
)


class Official:
    """Somebody of a city of these tests' own, so that nobody else's committees and records are there."""

    def __init__(self, stack: Stack, subject: str, role: str, *, area: str = CITY, department: str = "") -> None:
        token = stack.issuer.token(sub=subject, roles=[role], area=area, department=department, purposes=["P04", "P13"])
        self._channel = Channel(stack.addresses[0], authorization=f"Bearer {token}", timeout=10)

    def ask(self, verb: str, *, purpose: str = "", **fields: Any) -> Any:
        """The call of an rpc by its name: awaitable, or a stream."""
        module, stub = next((module, stub) for module, stub in MODULES if hasattr(module, f"{verb}Request"))
        kind = getattr(module, f"{verb}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            fields.setdefault("request_id", new_id())
        metadata = (("x-purpose", purpose),) if purpose else ()
        return getattr(stub(self._channel), verb)(kind(**fields), metadata=metadata)

    async def close(self) -> None:
        await self._channel.close()


@pytest.fixture
async def officials(stack: Stack) -> AsyncIterator[dict[str, Official]]:
    made = {
        "head": Official(stack, "head-1", "GRID_SUPERVISOR"),
        "justice": Official(stack, "justice-1", "DEPT_LEAD", department="JUST"),
        "fire": Official(stack, "fire-1", "DEPT_LEAD", department="FIRE"),
        "resident": Official(stack, "resident-1", "RESIDENT"),
        "elsewhere": Official(stack, "head-9", "GRID_SUPERVISOR", area="4212"),
        "auditor": Official(stack, "auditor-1", "AUDITOR"),
        "mediator": Official(stack, "woman-m", "GRID_MEDIATOR"),
    }
    yield made
    for one in made.values():
        await one.close()


def board(code: str = CODE, **fields: Any) -> committee_service_pb2.CommitteeDraft:
    member, post = committee_service_pb2.MemberDraft, committee_pb2.CommitteePost
    given: dict[str, Any] = {
        "code": code,
        "name": "东湖社区人民调解委员会",
        "kind": committee_pb2.COMMITTEE_KIND_COMMUNITY,
        "area_code": code,
        "members": [
            member(subject=f"chair-{code}", name="刘建国", sex="1", post=post.COMMITTEE_POST_CHAIR),
            member(subject=f"woman-{code}", name="赵敏", sex="2", post=post.COMMITTEE_POST_MEMBER),
            member(subject=f"third-{code}", name="周凯", sex="1", post=post.COMMITTEE_POST_MEMBER),
        ],
        "term_begins_on": "2026-01-01",
    }
    return committee_service_pb2.CommitteeDraft(**(given | fields))


async def refusal(call: Any, kind: type[ServiceError]) -> tuple[str, str]:
    with pytest.raises(kind) as refused:
        await call
    return refused.value.reason, refused.value.field


async def test_a_committee_from_entry_to_dissolution(officials: dict[str, Official]) -> None:
    head, justice = officials["head"], officials["justice"]
    lonely = board("421102001901", members=board().members[:2])
    assert await refusal(head.ask("CreateCommittee", committee=lonely), InvalidArgument) == (
        "COMMITTEE_SIZE",
        "committee.members",
    )
    assert (await refusal(officials["fire"].ask("CreateCommittee", committee=board()), PermissionDenied))[
        0
    ] == "OTHER_DEPARTMENT"
    abroad = officials["elsewhere"].ask("CreateCommittee", committee=board())
    assert (await refusal(abroad, PermissionDenied))[0] == "AREA_NOT_ALLOWED"
    made = (await head.ask("CreateCommittee", committee=board("421102001902"))).committee
    assert (made.term_ends_on, len(made.members)) == ("2028-12-31", 3)
    assert (await officials["resident"].ask("GetCommittee", committee_id=made.committee_id)).committee == made
    gone = officials["elsewhere"].ask("GetCommittee", committee_id=made.committee_id)
    assert (await refusal(gone, NotFound))[0] == "MEDIATION_COMMITTEE_NOT_FOUND"
    twice = head.ask("CreateCommittee", committee=board("421102001902"))
    assert (await refusal(twice, Conflict))[0] == "COMMITTEE_CODE_EXISTS"
    poached = board("421102001903", mediators=[committee_service_pb2.MediatorDraft(subject=made.members[0].subject, name="刘")])
    assert (await refusal(head.ask("CreateCommittee", committee=poached), Conflict))[0] == "MEMBERSHIP_EXISTS"
    draft = committee_service_pb2.CommitteeDraft(phone="0713-6440001", name="x")
    mask = FieldMask(paths=["phone"])
    changed = (
        await justice.ask("UpdateCommittee", committee_id=made.committee_id, committee=draft, update_mask=mask, revision=1)
    ).committee
    assert (changed.phone, changed.name, changed.revision) == ("0713-6440001", made.name, 2)
    sought = ({"mediator": made.members[1].subject}, {"text": "4211020019"}, {"text": "湖社区"}, {"text": "赵敏"})
    for wanted in sought:
        found = (await officials["resident"].ask("ListCommittees", area_prefix=made.area_code, **wanted)).committees
        assert [each.committee_id for each in found] == [made.committee_id], wanted
    # What is sought is no pattern.
    assert not (await head.ask("ListCommittees", area_prefix=made.area_code, text=".*")).committees
    card = (await officials["resident"].ask("GetMediationCard", committee_id=made.committee_id)).file
    assert (card.name, card.data[:5]) == ("人民调解卡-东湖社区人民调解委员会.pdf", b"%PDF-")
    dissolved = (await justice.ask("DissolveCommittee", committee_id=made.committee_id)).committee
    late = officials["resident"].ask("GetMediationCard", committee_id=made.committee_id)
    assert (await refusal(late, FailedPrecondition))[0] == "COMMITTEE_DISSOLVED"
    assert dissolved.HasField("dissolved_at")
    assert not (await head.ask("ListCommittees", code=made.code)).committees
    assert (await head.ask("ListCommittees", code=made.code, dissolved_too=True)).committees == [dissolved]
    # Its people are free for another committee.
    await head.ask("CreateCommittee", committee=poached)


async def test_only_who_stands_in_the_register_mediates(stack: Stack, officials: dict[str, Official]) -> None:
    head, mediator = officials["head"], officials["mediator"]
    area, other = "421102001911", "421102001912"
    await head.ask("CreateCommittee", committee=board(area))
    await head.ask("CreateCommittee", committee=board(other))
    async with Person(stack, subject="worker-x", role="GRID_WORKER", area=CITY) as worker:
        case = await worker.report(category="A0202", area_code=area)
    given: dict[str, Any] = {
        "case_id": case.case_id,
        "description": "楼上渗水",
        "parties": [
            dispute_pb2.Party(side=dispute_pb2.PARTY_SIDE_APPLICANT, type="01", name="王小明"),
            dispute_pb2.Party(side=dispute_pb2.PARTY_SIDE_RESPONDENT, type="01", name="李芳"),
        ],
    }
    unknown = mediator.ask("OpenDispute", committee=dispute_pb2.Committee(code="999", name="x"), **given)
    assert await refusal(unknown, InvalidArgument) == ("UNKNOWN_COMMITTEE", "committee.code")
    # What is typed beside the code does not count: the register says who that is.
    opened = await mediator.ask("OpenDispute", committee=dispute_pb2.Committee(code=area, name="x", chair_name="y"), **given)
    dispute = opened.dispute
    assert (dispute.committee.name, dispute.committee.chair_name) == ("东湖社区人民调解委员会", "刘建国")
    appoint: dict[str, Any] = {"dispute_id": dispute.dispute_id, "name": "谁"}
    stranger = mediator.ask("AppointMediator", subject="somebody", **appoint)
    assert await refusal(stranger, InvalidArgument) == ("MEDIATOR_NOT_REGISTERED", "subject")
    theirs = mediator.ask("AppointMediator", subject=f"woman-{other}", **appoint)
    assert (await refusal(theirs, InvalidArgument))[0] == "OTHER_COMMITTEE"
    named = (await mediator.ask("AppointMediator", subject=f"woman-{area}", **appoint)).dispute
    assert [each.name for each in named.mediators] == ["赵敏"]
    recuse: dict[str, Any] = {
        "dispute_id": dispute.dispute_id,
        "ground": dispute_pb2.RECUSAL_GROUND_PARTY_OBJECTS,
        "reason": "当事人要求",
    }
    wrong = head.ask("RecuseMediator", substitute_subject="somebody", substitute_name="x", **recuse)
    assert (await refusal(wrong, InvalidArgument))[1] == "substitute_subject"
    chair = (await head.ask("RecuseMediator", **recuse)).dispute
    assert chair.mediators[-1].name == "刘建国"


async def test_exports_and_papers_leave_records_that_auditors_read(stack: Stack, officials: dict[str, Official]) -> None:
    head, auditor, mediator = officials["head"], officials["auditor"], officials["mediator"]
    area = "421102001921"
    async with Person(stack, subject="worker-y", role="GRID_WORKER", area=CITY) as worker:
        cases = [await worker.report(category="A0202", area_code=area) for _ in range(3)]
    query = {"area_prefix": area}
    async for _ in head.ask("ExportCases", purpose="P13", filter=query):
        pass
    broken = head.ask("ExportCases", filter=query)
    async for _ in broken:
        break
    await broken.aclose()
    await head.ask("CreateCommittee", committee=board(area))
    party = dispute_pb2.Party
    dispute = (
        await mediator.ask(
            "OpenDispute",
            case_id=cases[0].case_id,
            description="楼上渗水",
            committee=dispute_pb2.Committee(code=area, name="x"),
            parties=[
                party(side=dispute_pb2.PARTY_SIDE_APPLICANT, type="01", name="王小明"),
                party(side=dispute_pb2.PARTY_SIDE_RESPONDENT, type="01", name="李芳"),
            ],
        )
    ).dispute
    paper = {"dispute_id": dispute.dispute_id, "paper": dispute_pb2.DISPUTE_PAPER_REGISTRATION}
    await mediator.ask("GetDisputePaper", purpose="P04", format=dispute_pb2.PAPER_FORMAT_DOCX, **paper)

    whole, broken_off = await recorded(auditor, by="head-1", count=2)
    assert (whole.rows, whole.complete, whole.purpose, whole.what) == (3, True, "P13", "csv")
    assert (area in whole.query, whole.kind, list(whole.roles)) == (True, audit_pb2.AUDIT_KIND_EXPORT, ["GRID_SUPERVISOR"])
    assert (broken_off.purpose, broken_off.rows in (0, 3)) == ("", True)
    (taken,) = await recorded(auditor, by="woman-m", count=1)
    assert (taken.kind, taken.dispute_id, taken.purpose) == (audit_pb2.AUDIT_KIND_DOWNLOAD, dispute.dispute_id, "P04")
    assert taken.what == "registration.docx"
    # Reading is on record too, page by page.
    looked = [audit_pb2.AUDIT_KIND_AUDIT_READ]
    first = await auditor.ask("ListAuditEntries", kinds=looked, page_size=1)
    second = await auditor.ask("ListAuditEntries", kinds=looked, page_size=1, page_token=first.next_page_token)
    assert first.entries[0].by == second.entries[0].by == "auditor-1"
    assert first.entries[0].at.ToDatetime() > second.entries[0].at.ToDatetime()
    assert (await refusal(head.ask("ListAuditEntries"), PermissionDenied))[0]
    abroad = Official(stack, "auditor-9", "AUDITOR", area="4212")
    assert not (await abroad.ask("ListAuditEntries", by="head-1")).entries
    await abroad.close()


async def recorded(auditor: Official, *, by: str, count: int) -> list[Any]:
    """The records of one person, oldest first, once so many have ended."""
    for _ in range(50):
        found = list(reversed((await auditor.ask("ListAuditEntries", by=by)).entries))
        if len(found) >= count and found[0].complete:
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"{len(found)} records of {by}")
