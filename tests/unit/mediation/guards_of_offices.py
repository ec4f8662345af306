"""Every guard of committees, the roster, messages, searches and free text, as rows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from mediation.domain.committee import (
    CommitteeDraft,
    CommitteeKind,
    CommitteeMember,
    CommitteePost,
    EngagedMediator,
    MediationCommittee,
)
from mediation.domain.notice import Contact, Delivery, DeliveryState, Duty, DutyDraft, NoticeChannel
from mediation.domain.search import SavedSearch
from mediation.operations import committees, deliveries, roster, searches
from mediation.policies import committees as committee_rules
from mediation.policies.protecting import check_texts
from mediation.policies.roster import check_own_roster
from mediation.quiet import Shift

from .builders import DISPATCHER, GRID_CODE, START, WORKER, department
from .dispute_builders import BOARD, opened
from .guarding import Guard

CHAIR = CommitteeMember(subject="chair-1", name="刘建国", sex="1", post=CommitteePost.CHAIR)
WOMAN = CommitteeMember(subject="member-1", name="赵敏", sex="2", post=CommitteePost.MEMBER)
MAN = CommitteeMember(subject="man-1", name="王强", sex="1", post=CommitteePost.MEMBER)


def board(**fields: Any) -> CommitteeDraft:
    given: dict[str, Any] = {
        "code": BOARD.code,
        "name": BOARD.name,
        "kind": CommitteeKind.COMMUNITY,
        "area_code": "420502001003",
        "members": (CHAIR, WOMAN, MAN),
        "mediators": (EngagedMediator(subject="mediator-1", name="赵敏"),),
        "term_begins_on": "2026-01-01",
    }
    return CommitteeDraft(**(given | fields))


def entered(**fields: Any) -> MediationCommittee:
    return committees.create_committee(draft=board(**fields), committee_id="c", now=START)


def changed(committee: MediationCommittee, *fields: str, revision: int = 0) -> Any:
    return committees.update_committee(committee, draft=board(), fields=fields, revision=revision, now=START)


COMMITTEES = (
    Guard(
        "a committee without a code",
        "COMMITTEE_FIELD_MISSING",
        "A committee needs a code.",
        lambda: entered(code=""),
        "committee.code",
    ),
    Guard(
        "a committee nobody set up",
        "COMMITTEE_FIELD_MISSING",
        "Say who set the committee up.",
        lambda: entered(kind=CommitteeKind.UNSPECIFIED),
        "committee.kind",
    ),
    Guard(
        "a committee of two",
        "COMMITTEE_SIZE",
        "A committee has 3 to 9 members.",
        lambda: entered(members=(CHAIR, WOMAN)),
        "committee.members",
    ),
    Guard(
        "a committee without a chair",
        "CHAIR_COUNT",
        "A committee has one chair.",
        lambda: entered(members=(WOMAN, MAN, replace(MAN, subject="man-2"))),
        "committee.members",
    ),
    Guard(
        "a committee without a woman",
        "WOMAN_REQUIRED",
        "At least one member is a woman.",
        lambda: entered(members=(CHAIR, MAN, replace(MAN, subject="man-2"))),
        "committee.members",
    ),
    Guard(
        "somebody twice in a committee",
        "DUPLICATE_MEDIATOR",
        "Everybody stands in a committee once.",
        lambda: entered(members=(CHAIR, WOMAN, WOMAN)),
        "committee.members[2].subject",
    ),
    Guard(
        "a term that begins on no day",
        "TERM_DATE",
        "This day does not exist.",
        lambda: entered(term_begins_on="2026-02-30"),
        "committee.term_begins_on",
    ),
    Guard(
        "a register kept by others",
        "OTHER_DEPARTMENT",
        "The register is kept by the judicial bureau.",
        lambda: committee_rules.check_registrar(department("FIRE", lead=True)),
    ),
    Guard(
        "a committee that was dissolved",
        "COMMITTEE_DISSOLVED",
        "This committee was dissolved.",
        lambda: changed(committees.dissolve_committee(entered(), now=START), "name"),
    ),
    Guard(
        "a committee that changed meanwhile",
        "STALE_REVISION",
        "The committee is at revision 3, not 2: read it again.",
        lambda: changed(replace(entered(), revision=3), "name", revision=2),
    ),
    Guard("no field of a committee", "MASK_EMPTY", "Name the fields to change.", lambda: changed(entered()), "update_mask"),
    Guard(
        "a field a committee has not",
        "UNKNOWN_FIELD",
        "A committee has no field 'people'.",
        lambda: changed(entered(), "people"),
        "update_mask",
    ),
    Guard(
        "a committee of no register",
        "UNKNOWN_COMMITTEE",
        "The register of this city has no such committee.",
        lambda: committee_rules.check_registered(entered(area_code="420602001003"), area_code=GRID_CODE),
        "committee.code",
    ),
    Guard(
        "a mediator of no register",
        "MEDIATOR_NOT_REGISTERED",
        "This person stands in the register of no committee.",
        lambda: committee_rules.check_mediator_of(opened(), None, subject="x", field="subject"),
        "subject",
    ),
    Guard(
        "a mediator of another committee",
        "OTHER_COMMITTEE",
        "This person mediates for another committee.",
        lambda: committee_rules.check_mediator_of(
            opened(), entered(code="420502001004"), subject="mediator-1", field="subject"
        ),
        "subject",
    ),
)

HOSTS = ("hooks.example",)


def duty(**fields: Any) -> Duty:
    given: dict[str, Any] = {
        "subject": "li",
        "name": "李明",
        "role": "DEPT_LEAD",
        "department": "FIRE",
        "area_code": "420502",
    } | fields
    return roster.create_duty(draft=DutyDraft(**given), duty_id="d", hosts=HOSTS, now=START)


def rostered(one: Duty, *fields: str, revision: int = 0) -> Any:
    return roster.update_duty(one, draft=DutyDraft(), fields=fields, revision=revision, hosts=HOSTS, now=START)


def saved(**fields: Any) -> SavedSearch:
    given: dict[str, Any] = {
        "search_id": "s",
        "name": "今日到期",
        "shared": False,
        "kept": 0,
        "by": DISPATCHER,
        "now": START,
    } | fields
    return searches.save_search(**given)


def being_sent() -> Delivery:
    return Delivery(
        delivery_id="d",
        channel=NoticeChannel.SMS,
        state=DeliveryState.SENDING,
        recipient="li",
        contact=Contact(duty_id="x"),
        area_code="4205",
        notice_ids=("n",),
        notice_count=1,
        text="红灯",
        urgent=False,
        created_at=START,
        keep_until=START,
        next_at=START,
    )


ROSTER = (
    Guard("a duty of nobody", "DUTY_FIELD_MISSING", "A duty needs a subject.", lambda: duty(subject=""), "duty.subject"),
    Guard(
        "a duty nobody is told anything for",
        "UNKNOWN_ROLE",
        "Nobody is told anything as 'RESIDENT'.",
        lambda: duty(role="RESIDENT"),
        "duty.role",
    ),
    Guard(
        "a duty without its department",
        "DEPARTMENT_NEEDED",
        "This role has a department.",
        lambda: duty(department=""),
        "duty.department",
    ),
    Guard(
        "a duty with a department it has not",
        "DEPARTMENT_NOT_ALLOWED",
        "This role has no department.",
        lambda: duty(role="DISPATCHER"),
        "duty.department",
    ),
    Guard(
        "a channel twice",
        "CHANNEL_TWICE",
        "Each channel is named once.",
        lambda: duty(channels=(NoticeChannel.SMS,) * 2, phone="1"),
        "duty.channels",
    ),
    Guard(
        "a channel without its address",
        "ADDRESS_MISSING",
        "Messages by sms need a phone.",
        lambda: duty(channels=(NoticeChannel.SMS,)),
        "duty.phone",
    ),
    Guard(
        "a webhook we may not call",
        "WEBHOOK_NOT_ALLOWED",
        "This address is not among those we may call.",
        lambda: duty(webhook_url="https://evil.example/"),
        "duty.webhook_url",
    ),
    Guard(
        "a duty that was taken off",
        "DUTY_REMOVED",
        "This duty was taken off the roster.",
        lambda: rostered(roster.remove_duty(duty(), now=START), "weekdays"),
    ),
    Guard(
        "a duty that changed meanwhile",
        "STALE_REVISION",
        "The duty is at revision 3, not 2: read it again.",
        lambda: rostered(replace(duty(), revision=3), "weekdays", revision=2),
    ),
    Guard("no field of a duty", "MASK_EMPTY", "Name the fields to change.", lambda: rostered(duty()), "update_mask"),
    Guard(
        "a field a duty has not",
        "UNKNOWN_FIELD",
        "A duty has no field 'duty_id'.",
        lambda: rostered(duty(), "duty_id"),
        "update_mask",
    ),
    Guard(
        "the roster of another department",
        "OTHER_DEPARTMENT",
        "This is the roster of another department.",
        lambda: check_own_roster(department("FIRE"), "UMD"),
    ),
    Guard(
        "a message that is being sent",
        "DELIVERY_IN_HAND",
        "This message is still being tried.",
        lambda: deliveries.replay(being_sent(), quiet=Shift(0, 0), now=datetime(2026, 11, 22, 4, tzinfo=UTC)),
    ),
    Guard(
        "too many searches",
        "TOO_MANY_SEARCHES",
        f"Nobody keeps more than {searches.MOST_KEPT} searches.",
        lambda: saved(kept=searches.MOST_KEPT),
    ),
    Guard(
        "a search for a department one has not",
        "NO_DEPARTMENT",
        "You act for no department to share it with.",
        lambda: saved(shared=True),
        "shared",
    ),
    Guard("a search without a name", "NAME_EMPTY", "A search needs a name.", lambda: saved(name=" "), "name"),
    Guard(
        "a search of somebody else",
        "SEARCH_NOT_FOUND",
        "Search s does not exist.",
        lambda: searches.forget_search(saved(), by=WORKER, now=START),
    ),
    Guard(
        "words that must not be kept",
        "RESTRICTED_CONTENT",
        "This says about a person what must not be kept: leave it out.",
        lambda: check_texts({"parties": [{"name": "x"}, {"address": "他有前科"}]}),
        "parties[1].address",
    ),
    Guard(
        "a recording of voices",
        "RECORDING_NOT_ALLOWED",
        "Voices are not recorded.",
        lambda: check_texts({"attachments": [{"uri": "oss://a/talk.mp3"}]}),
        "attachments[0].uri",
    ),
)

GUARDS = (*COMMITTEES, *ROSTER)
