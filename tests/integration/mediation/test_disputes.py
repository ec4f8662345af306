"""Disputes through real processes: from the application to the file, what nobody may see, and reminders told once."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import io
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from binglian.mediation.v1 import (
    agreement_service_pb2,
    agreement_service_pb2_grpc,
    committee_pb2,
    committee_service_pb2,
    committee_service_pb2_grpc,
    dispute_pb2,
    dispute_service_pb2,
    dispute_service_pb2_grpc,
)
from docx import Document
from pymongo import MongoClient

from mediation.dispute_figures import decided_stages, opened_stages
from svckit.errors import Conflict, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from svckit.grpc_client import Channel
from svckit.ids import new_id
from tests.integration.mediation.broker import Broker, listening
from tests.integration.mediation.stack import Person, Stack

pytestmark = pytest.mark.integration
FONTS = Path("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc").exists()
COMMITTEE = dispute_pb2.Committee(
    code="420502001003", name="石板溪社区人民调解委员会", chair_subject="chair", chair_name="刘建国"
)


class Mediator:
    """Somebody who calls the services of disputes; `purpose` is stated when given."""

    def __init__(self, stack: Stack, *, subject: str, role: str, purpose: str = "", department: str = "") -> None:
        token = stack.issuer.token(sub=subject, roles=[role], area="4205", department=department, purposes=["P04"])
        self._channel = Channel(stack.addresses[0], authorization=f"Bearer {token}", timeout=10)
        self._stubs = (
            (dispute_service_pb2, dispute_service_pb2_grpc.DisputeServiceStub(self._channel)),  # type: ignore[arg-type]
            (agreement_service_pb2, agreement_service_pb2_grpc.AgreementServiceStub(self._channel)),  # type: ignore[arg-type]
            (committee_service_pb2, committee_service_pb2_grpc.CommitteeServiceStub(self._channel)),  # type: ignore[arg-type]
        )
        self._metadata = (("x-purpose", purpose),) if purpose else ()

    async def __call__(self, verb: str, **fields: Any) -> Any:
        """Calls an rpc by its name and returns its response."""
        module, stub = next((module, stub) for module, stub in self._stubs if hasattr(module, f"{verb}Request"))
        kind = getattr(module, f"{verb}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            fields.setdefault("request_id", new_id())
        return await getattr(stub, verb)(kind(**fields), metadata=self._metadata)

    async def on(self, dispute: Any, verb: str, **fields: Any) -> Any:
        """Calls a verb on a dispute and returns the dispute after it."""
        return (await self(verb, dispute_id=dispute.dispute_id, **fields)).dispute

    async def close(self) -> None:
        await self._channel.close()


@pytest.fixture
async def people(stack: Stack) -> AsyncIterator[dict[str, Mediator]]:
    made = {
        "mediator": Mediator(stack, subject="mediator", role="GRID_MEDIATOR"),
        "stating": Mediator(stack, subject="mediator", role="GRID_MEDIATOR", purpose="P04"),
        "other": Mediator(stack, subject="other", role="GRID_MEDIATOR"),
        "police": Mediator(stack, subject="police", role="DEPT_HANDLER", department="PSB"),
        "supervision": Mediator(stack, subject="supervision", role="SUPERVISION"),
        "head": Mediator(stack, subject="chair", role="GRID_SUPERVISOR"),
    }
    await registered(made["head"])
    yield made
    for person in made.values():
        await person.close()


async def registered(head: Mediator) -> None:
    """Sees to it that the committee of these tests stands in the register, with its mediators."""
    member = committee_service_pb2.MemberDraft
    board = committee_service_pb2.CommitteeDraft(
        code=COMMITTEE.code,
        name=COMMITTEE.name,
        kind=committee_pb2.COMMITTEE_KIND_COMMUNITY,
        area_code="420502001003",
        members=[
            member(subject="chair", name="刘建国", sex="1", post=committee_pb2.COMMITTEE_POST_CHAIR),
            member(subject="mediator", name="赵敏", sex="2", post=committee_pb2.COMMITTEE_POST_MEMBER),
            member(subject="third", name="周凯", sex="1", post=committee_pb2.COMMITTEE_POST_MEMBER),
        ],
        mediators=[committee_service_pb2.MediatorDraft(subject="other", name="孙丽")],
        term_begins_on="2026-01-01",
    )
    with contextlib.suppress(Conflict):
        await head("CreateCommittee", committee=board)


def party(side: Any, name: str, **fields: Any) -> dispute_pb2.Party:
    return dispute_pb2.Party(side=side, type="01", name=name, **fields)


async def opened(stack: Stack, mediator: Mediator, *, category: str = "A0202", **fields: Any) -> Any:
    async with Person(stack, subject="worker", role="GRID_WORKER") as worker:
        case = await worker.report(category=category)
    given = {
        "case_id": case.case_id,
        "description": "楼上渗水",
        "committee": COMMITTEE,
        "parties": [
            party(
                dispute_pb2.PARTY_SIDE_APPLICANT, "王小明", phone="13812345678", id_type="111", id_number="420502198005120017"
            ),
            party(dispute_pb2.PARTY_SIDE_RESPONDENT, "李芳", address="石板溪路12号"),
        ],
    }
    return (await mediator("OpenDispute", **(given | fields))).dispute


async def begun(stack: Stack, mediator: Mediator, **fields: Any) -> Any:
    dispute = await opened(stack, mediator, **fields)
    both = [each.party_id for each in dispute.parties]
    for party_id in both:
        await mediator.on(dispute, "RecordConsent", party_id=party_id, given=True)
    await mediator.on(dispute, "AppointMediator", subject="mediator", name="赵敏", by_parties=True, accepted_by=both)
    return await mediator.on(dispute, "BeginMediation")


def promise(dispute: Any) -> dispute_pb2.Term:
    applicant, respondent = (each.party_id for each in dispute.parties)
    return dispute_pb2.Term(
        obligor=respondent, obligee=applicant, content="赔偿", amount_cents=350_000, way="转账", due_on="2099-12-31"
    )


async def agreed(stack: Stack, mediator: Mediator) -> Any:
    dispute = await begun(stack, mediator)
    came = [dispute_pb2.Attendance(party_id=each.party_id, present=True) for each in dispute.parties]
    await mediator.on(dispute, "RecordSession", record="查看现场。", attendance=came, method="02")
    dispute = await mediator.on(dispute, "DraftAgreement", facts="防水层破损。", terms=[promise(dispute)])
    signers = [*(each.party_id for each in dispute.parties), "mediator", "committee"]
    signed = [dispute_pb2.Signature(signer=each, way=dispute_pb2.SIGNATURE_WAY_SIGNED) for each in signers]
    return await mediator.on(dispute, "SignAgreement", signatures=signed)


async def test_from_application_to_file(stack: Stack, people: dict[str, Mediator]) -> None:
    mediator = people["mediator"]
    dispute = await agreed(stack, mediator)
    year = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)).year
    assert dispute.agreement.number.startswith(f"{year}420502001003调")
    assert dispute.state == dispute_pb2.DISPUTE_STATE_AGREED
    both = [each.party_id for each in dispute.parties]
    await mediator.on(dispute, "ApplyConfirmation", court="西陵区人民法院", applicants=both)
    await mediator.on(dispute, "DecideConfirmation", confirmed=True, reference="(2026)鄂0502调确1号")
    for status in (dispute_pb2.AGREEMENT_STATUS_PERFORMING, dispute_pb2.AGREEMENT_STATUS_PERFORMED):
        await mediator.on(dispute, "ChangeAgreement", status=status)
    with pytest.raises(FailedPrecondition, match="visit"):
        await mediator.on(dispute, "CloseDispute")
    for _ in range(2):
        await mediator.on(dispute, "RecordVisit", text="已履行", performed=True)
    dispute = await mediator.on(dispute, "CloseDispute")
    assert dispute.state == dispute_pb2.DISPUTE_STATE_CLOSED
    assert [step.verb for step in dispute.steps][-3:] == ["record_visit", "record_visit", "close_dispute"]


async def test_contacts_are_masked_and_papers_need_a_purpose(stack: Stack, people: dict[str, Mediator]) -> None:
    dispute = await agreed(stack, people["mediator"])
    assert [each.name for each in dispute.parties] == ["王**", "李*"]
    assert dispute.parties[0].phone == "138****5678"
    shown = (await people["stating"]("GetDispute", dispute_id=dispute.dispute_id)).dispute
    assert (shown.parties[0].name, shown.parties[0].phone) == ("王小明", "13812345678")
    # Nobody ever sees the whole number: it is not kept.
    assert shown.parties[0].id_number == "420502***********7"
    paper = {"dispute_id": dispute.dispute_id, "paper": dispute_pb2.DISPUTE_PAPER_AGREEMENT}
    with pytest.raises(PermissionDenied):
        await people["mediator"]("GetDisputePaper", **paper)
    made = (await people["stating"]("GetDisputePaper", format=dispute_pb2.PAPER_FORMAT_DOCX, **paper)).file
    text = "\n".join(each.text for each in Document(io.BytesIO(made.data)).paragraphs)
    assert made.name.endswith(".docx")
    assert dispute.agreement.number in text
    if FONTS:
        made = (await people["stating"]("GetDisputePaper", **paper)).file
        assert (made.data[:5], made.content_type) == (b"%PDF-", "application/pdf")
    with pytest.raises(FailedPrecondition) as refusal:
        await people["stating"]("GetDisputePaper", **(paper | {"paper": dispute_pb2.DISPUTE_PAPER_NOTICE}))
    assert refusal.value.reason == "PAPER_NOT_READY"


async def test_refusing_ends_it_and_everybody_is_told(stack: Stack, people: dict[str, Mediator]) -> None:
    mediator = people["mediator"]
    dispute = await begun(stack, mediator)
    both = [each.party_id for each in dispute.parties]
    stopped = await mediator.on(dispute, "RecordConsent", party_id=both[1], given=False, text="不同意")
    assert (stopped.state, stopped.result) == (dispute_pb2.DISPUTE_STATE_STOPPED, "05")
    with pytest.raises(InvalidArgument) as refusal:
        await mediator.on(dispute, "NotifyRemedies", told=both[:1], way="当面")
    assert (refusal.value.reason, refusal.value.field) == ("NOT_ALL_TOLD", "told")
    # The same case may be mediated again only when this attempt is over.
    again = {"case_id": dispute.case_id, "description": "x", "committee": COMMITTEE}
    parties = [party(dispute_pb2.PARTY_SIDE_APPLICANT, "王小明"), party(dispute_pb2.PARTY_SIDE_RESPONDENT, "李芳")]
    with pytest.raises(Conflict) as conflict:
        await mediator("OpenDispute", parties=parties, **again)
    assert conflict.value.reason == "ALREADY_EXISTS"
    ended = await mediator.on(dispute, "NotifyRemedies", told=both, way="当面")
    assert ended.state == dispute_pb2.DISPUTE_STATE_ENDED
    # Sent twice it is still one attempt.
    twice = {"parties": parties, "request_id": new_id(), **again}
    second = [(await mediator("OpenDispute", **twice)).dispute.dispute_id for _ in range(2)]
    assert len({dispute.dispute_id, *second}) == 2


async def test_violence_at_home_is_never_mediated_and_hidden(stack: Stack, people: dict[str, Mediator]) -> None:
    with pytest.raises(NotFound):
        # The mediator does not even see the case.
        await opened(stack, people["mediator"], category="A0105")
    with pytest.raises(FailedPrecondition) as refusal:
        await opened(stack, people["police"], category="A0105")
    assert refusal.value.reason == "POLICE_FIRST"
    dispute = await begun(stack, people["mediator"], category="A0101")
    ended = await people["mediator"].on(dispute, "InformPolice", ground=dispute_pb2.POLICE_GROUND_VIOLENCE, text="已报110")
    assert ended.state == dispute_pb2.DISPUTE_STATE_ENDED
    for name in ("mediator", "supervision"):
        with pytest.raises(NotFound):
            await people[name]("GetDispute", dispute_id=dispute.dispute_id)
        listed = await people[name]("ListDisputes", case_id=dispute.case_id)
        assert not listed.disputes
    listed = await people["police"]("ListDisputes", case_id=dispute.case_id)
    assert [each.category for each in listed.disputes] == ["0105"]


async def test_lists_by_mediator_state_and_what_is_due(stack: Stack, people: dict[str, Mediator]) -> None:
    mine = [await agreed(stack, people["mediator"]) for _ in range(3)]
    listed, token = [], ""
    while True:
        page = await people["mediator"]("ListDisputes", mediator="mediator", page_size=2, page_token=token)
        listed += [each.dispute_id for each in page.disputes]
        token = page.next_page_token
        if not token:
            break
    assert listed[:3] == [each.dispute_id for each in reversed(mine)]
    assert len(set(listed)) == len(listed)
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=8)
    states = [dispute_pb2.DISPUTE_STATE_AGREED]
    due = await people["mediator"]("ListDisputes", due_before=soon, states=states)
    assert {each.dispute_id for each in mine} <= {each.dispute_id for each in due.disputes}
    assert not due.disputes[0].steps
    past = await people["mediator"]("ListDisputes", due_before=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    assert not past.disputes
    department = await people["police"]("ListDisputes", mediator="mediator")
    assert {each.category for each in department.disputes} <= {"0105"}


async def test_results_are_counted(stack: Stack, people: dict[str, Mediator]) -> None:
    async def counted(name: str = "mediator", **fields: Any) -> Any:
        return await people[name]("CountDisputes", area_prefix="420502001003", **fields)

    before = await counted()
    await agreed(stack, people["mediator"])
    risky = await begun(stack, people["mediator"])
    await people["mediator"].on(risky, "InformPolice", ground=dispute_pb2.POLICE_GROUND_PUBLIC_ORDER)
    await people["mediator"].on(risky, "EndMediation", result="03", text="自行和解")
    penal = await begun(stack, people["mediator"])
    await people["mediator"].on(penal, "InformPolice", ground=dispute_pb2.POLICE_GROUND_PENAL_MATTER)
    after = await counted()
    assert after.period == str((dt.datetime.now(dt.UTC) + dt.timedelta(hours=8)).year)

    def more(name: str, one: Any = after.total, other: Any = before.total) -> int:
        return int(getattr(one, name) - getattr(other, name))

    names = ("opened", "decided", "resolved", "police_told", "averted", "penal")
    assert [more(name) for name in names] == [3, 3, 2, 2, 1, 1]
    results = {row.result: row.count for row in after.results}
    assert sum(results.values()) == after.total.decided
    assert (len(results), results["01"] > 0, results["10"]) == (10, True, 0)
    assert sum(row.counts.opened for row in after.areas) <= after.total.opened
    assert {len(row.area_code) for row in after.areas} <= {17}
    assert "02" in {row.category for row in after.categories}
    assert not (await counted(period="2020-Q1")).total.opened
    # Who may list fewer counts fewer.
    assert (await counted("police")).total.opened < after.total.opened
    with pytest.raises(InvalidArgument):
        await counted(period="2026-Q5")
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        for stages, index in ((opened_stages, "city_opened"), (decided_stages, "city_result")):
            pipeline = stages({"city": "4205"}, period="2026-Q1", digits=17)
            asked = {"aggregate": "disputes", "pipeline": pipeline, "cursor": {}}
            assert index in str(client[stack.database].command("explain", asked, verbosity="queryPlanner"))


async def test_disputes_of_an_earlier_version_are_counted_after_a_reindex(
    stack: Stack, people: dict[str, Mediator], tmp_path: Path
) -> None:
    written, ended = await agreed(stack, people["mediator"]), await begun(stack, people["mediator"])
    ended = await people["mediator"].on(ended, "EndMediation", result="06", text="撤回")
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        disputes = client[stack.database]["disputes"]
        ours = {"_id": {"$in": [written.dispute_id, ended.dispute_id]}}
        known = {row["_id"]: row["result_at"] for row in disputes.find(ours)}
        disputes.update_many(ours, {"$unset": {"result_at": ""}})
        assert stack.start("reindex", tmp_path / "log").wait(60) == 0
        assert {row["_id"]: row["result_at"] for row in disputes.find(ours)} == known


async def test_what_must_not_be_kept_is_not(stack: Stack, people: dict[str, Mediator]) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await opened(stack, people["mediator"], description="被申请人系刑释人员")
    assert (refusal.value.reason, refusal.value.field) == ("RESTRICTED_CONTENT", "description")
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        assert client[stack.database]["disputes"].count_documents({"description": {"$regex": "刑释"}}) == 0


async def test_a_repeated_request_changes_nothing(stack: Stack, people: dict[str, Mediator]) -> None:
    dispute = await begun(stack, people["mediator"])
    came = [dispute_pb2.Attendance(party_id=each.party_id, present=True) for each in dispute.parties]
    request_id = new_id()
    for _ in range(2):
        held = await people["mediator"].on(
            dispute, "RecordSession", record="x", attendance=came, method="02", request_id=request_id
        )
    assert len(held.sessions) == 1
    numbers = set()
    request_id = new_id()
    for _ in range(2):
        draft = await people["mediator"].on(
            dispute, "DraftAgreement", facts="x", terms=[promise(dispute)], request_id=request_id
        )
        numbers.add(draft.agreement.number)
    assert len(numbers) == 1


@pytest.fixture
def worker(stack: Stack) -> Iterator[subprocess.Popen[bytes]]:
    process = stack.start_worker()
    yield process
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
def broker(amqp_uri: str) -> Iterator[Broker]:
    with listening(amqp_uri) as made:
        yield made


async def test_mediators_are_told_what_is_due(stack: Stack, people: dict[str, Mediator], broker: Broker, worker: Any) -> None:
    dispute = await agreed(stack, people["mediator"])

    def told() -> list[str]:
        return [
            data["kind"]
            for kind, _, data in broker.heard
            if kind == "mediation.mediation_reminder_due.v1" and data["disputeId"] == dispute.dispute_id
        ]

    # The right to go to court together begins at once; the visits come later.
    broker.listen_until(lambda: "REMINDER_KIND_CONFIRMATION" in told())
    await asyncio.sleep(3)
    broker.listen()
    assert told() == ["REMINDER_KIND_CONFIRMATION"]
    with MongoClient[dict[str, Any]](stack.mongo_uri) as client:
        kept = client[stack.database]["disputes"].find_one({"_id": dispute.dispute_id})
    assert kept
    assert kept["next_due_at"] - kept["agreement"]["effective_at"] == dt.timedelta(days=7)
