"""What stands on each paper of a dispute. Pure: a dispute in, a sheet out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from mediation import dispute_codes
from mediation.domain.dispute import COMMITTEE, MEDIATOR, Agreement, Dispute, Party, Session
from mediation.papers import words
from mediation.papers.sheet import Block, Form, Grid, Heading, NewPage, Paragraph, Sheet, Signatures
from svckit.errors import FailedPrecondition

_DATE = f"{'':24}年    月    日"
_PARTY_SIGNS, _MEDIATOR_SIGNS, _COMMITTEE_SEALS = (
    f"（签名、盖章或按指印）{_DATE}",
    f"（签名）{'':22}{_DATE}",
    f"（加盖印章）{'':18}{_DATE}",
)
_A_MINUTE = timedelta(minutes=1)
# 人民调解法 4: free of charge; 3, 26: it closes no other way.
_FREE = "人民调解委员会调解民间纠纷，不收取任何费用。"
_WAYS = "当事人可以依法通过仲裁、行政、司法等途径维护自己的权利；有诉讼时效、仲裁时效的，请在时效期间内提出。"


def compose(dispute: Dispute, *, paper: str) -> Sheet:
    """Returns one paper of a dispute. Raises FailedPrecondition (PAPER_NOT_READY) while there is nothing to put on it."""
    return _PAPERS[paper](dispute)


def _not_ready(what: str) -> FailedPrecondition:
    return FailedPrecondition(f"There is no {what} yet.", reason="PAPER_NOT_READY")


def _sheet(dispute: Dispute, title: str, blocks: Iterable[Block], *, number: str = "") -> Sheet:
    number = number or (dispute.agreement.number if dispute.agreement else dispute.case_number)
    return Sheet(
        title=title,
        number=f"编号：{number}",
        blocks=tuple(blocks),
        foot=dispute.committee.name,
        name=f"{title}-{number}",
    )


# ------------------------------------------------------------------------------------------------------------ the agreement


def _agreement(dispute: Dispute) -> Sheet:
    agreement = dispute.agreement
    if agreement is None or agreement.oral:
        raise _not_ready("written agreement")
    form = dispute_codes.agreement_form()
    titles = {section["id"]: section["zh"] for section in form["sections"]}
    notice = next(section["text"] for section in form["sections"] if section["id"] == "notice")
    heading = _numbered(titles)
    blocks: tuple[Block, ...] = (
        heading("parties"),
        *(_party(party) for party in dispute.parties),
        heading("facts"),
        Paragraph(agreement.facts),
        heading("terms"),
        Paragraph(f"经{dispute.committee.name}主持调解，各方当事人自愿达成如下协议："),
        _terms(dispute, agreement),
        heading("notice"),
        Paragraph(f"{notice.replace(';', '；')}{_FREE}"),
        Paragraph(f"本协议一式{len(dispute.parties) + 1}份，各方当事人各执一份，{dispute.committee.name}留存一份。"),
        NewPage(),
        heading("sign"),
        Paragraph("各方当事人已阅读本协议全部内容，确认与真实意思一致，自愿签署。"),
        _signatures(dispute, agreement),
        Paragraph(_in_effect(agreement), first_line=False),
    )
    return _sheet(dispute, form["title"], blocks, number=agreement.number)


def _in_effect(agreement: Agreement) -> str:
    if agreement.effective_at is None:
        return "本协议自各方当事人签名、盖章或者按指印，人民调解员签名并加盖人民调解委员会印章之日起生效。"
    until = f"共同申请司法确认的截止日：{_last_day(agreement)}。" if agreement.confirm_until else ""
    return f"生效日期：{words.day(agreement.effective_at)}。{until}"


def _last_day(agreement: Agreement) -> str:
    # The stored instant is the midnight that ends the day.
    assert agreement.confirm_until is not None, "asked only where there is one"
    return words.day(agreement.confirm_until - _A_MINUTE)


def _numbered(titles: dict[str, str]) -> Callable[[str], Heading]:
    order = list(titles)
    return lambda section: Heading(f"{words.NUMERALS[order.index(section)]}、{titles[section]}")


def _party(party: Party) -> Form:
    sort = dispute_codes.names("party_type").get(party.type, "")
    document = dispute_codes.names("id_doc_type").get(party.id_type, "")
    agent = f"{party.agent_name}（{party.agent_authority}）" if party.agent_name else "无"
    return Form(
        title=f"{words.SIDES[party.side]}（{sort}）" if sort else words.SIDES[party.side],
        pairs=2,
        rows=(
            ("姓名或名称", party.name),
            ("性别", words.SEXES.get(party.sex, "—")),
            ("出生年月", words.month(party.birth_month) or "—"),
            ("联系方式", party.phone or "—"),
            ("证件", f"{document} {party.id_number}".strip() or "—"),
            ("代理人", agent),
            ("住址", party.address or "—"),
        ),
    )


def _terms(dispute: Dispute, agreement: Agreement) -> Grid:
    names = {party.party_id: party.name for party in dispute.parties}
    rows = tuple(
        (
            str(number),
            names[term.obligor],
            names[term.obligee],
            "\n".join(part for part in (term.content, words.amount(term.amount_cents)) if part),
            term.way,
            words.plain_day(term.due_on),
        )
        for number, term in enumerate(agreement.terms, start=1)
    )
    return Grid(
        header=("序号", "义务人", "权利人", "内容与金额", "履行方式", "履行期限"), widths=(7, 13, 13, 37, 14, 16), rows=rows
    )


def _signatures(dispute: Dispute, agreement: Agreement | None, *, committee: bool = True) -> Signatures:
    signed = {each.signer: f"{words.WAYS[each.way]} {words.day(each.at)}" for each in agreement.signatures} if agreement else {}
    slots = [
        (f"{words.SIDES[party.side]}\n{party.name}", signed.get(party.party_id, _PARTY_SIGNS)) for party in dispute.parties
    ]
    slots.append((f"人民调解员\n{dispute.mediator.name if dispute.mediator else ''}", signed.get(MEDIATOR, _MEDIATOR_SIGNS)))
    if committee:
        slots.append((f"人民调解委员会\n{dispute.committee.name}", signed.get(COMMITTEE, _COMMITTEE_SEALS)))
    return Signatures(tuple(slots))


# ------------------------------------------------------------------------------------------------------------ other forms


def _registration(dispute: Dispute) -> Sheet:
    """F2; the items are those of implementations of GB/T 31000."""
    category = dispute_codes.categories()[dispute.category]["zh"]
    sorts = dispute_codes.names("party_type")
    methods = dispute_codes.names("mediation_method")
    rows = (
        ("来源", f"事件 {dispute.case_number}"),
        ("类别", category),
        ("规模", dispute_codes.names("dispute_scale").get(dispute.scale, "—")),
        ("涉及人数", str(dispute.people_involved)),
        ("登记日期", words.day(dispute.opened_at)),
        ("主要当事人类别", "、".join(dict.fromkeys(sorts.get(party.type, "") for party in dispute.parties))),
        ("化解时限", words.day(dispute.clock.due_at) if dispute.clock else "受理后起算"),
        ("化解方式", "、".join(methods.get(code, code) for code in dispute.methods) or "—"),
        ("化解组织", dispute.committee.name),
        ("化解责任人", dispute.mediator.name if dispute.mediator else "—"),
        ("是否成功", _succeeded(dispute)),
        ("联系电话", dispute.committee.phone or "—"),
        ("简述", dispute.description),
        ("化解情况", dispute.result_text or "—"),
    )
    blocks: tuple[Block, ...] = (
        Form(rows=rows, pairs=2),
        Heading("当事人"),
        *(_party(party) for party in dispute.parties),
        Paragraph(_FREE),
    )
    return _sheet(dispute, "调解受理登记表", blocks, number=dispute.case_number)


def _succeeded(dispute: Dispute) -> str:
    result = dispute_codes.results().get(dispute.result)
    return f"{'是' if result['counts_as_resolved'] == 'Y' else '否'}（{result['zh']}）" if result else "办理中"


def _record(dispute: Dispute) -> Sheet:
    if not dispute.sessions:
        raise _not_ready("session")
    blocks: list[Block] = []
    for number, session in enumerate(dispute.sessions, start=1):
        blocks += [Heading(f"第{number}次调解"), _session(dispute, session), Paragraph(session.record)]
    return _sheet(dispute, "调解笔录", (*blocks, _signatures(dispute, None, committee=False)), number=dispute.case_number)


def _session(dispute: Dispute, session: Session) -> Form:
    came = {
        each.party_id: ("代理人到场" if each.by_agent else "到场") if each.present else "未到场" for each in session.attendance
    }
    mediators = {each.subject: each.name for each in dispute.mediators}
    return Form(
        pairs=2,
        rows=(
            ("时间", words.minute(session.held_at)),
            ("地点", session.place or "—"),
            ("调解员", mediators.get(session.mediator, "")),
            ("方式", dispute_codes.names("mediation_method").get(session.method, "—")),
            ("到场情况", "；".join(f"{party.name}：{came.get(party.party_id, '未到场')}" for party in dispute.parties)),
        ),
    )


def _oral(dispute: Dispute) -> Sheet:
    agreement = dispute.agreement
    if agreement is None or not agreement.oral:
        raise _not_ready("oral agreement")
    blocks: tuple[Block, ...] = (
        *(_party(party) for party in dispute.parties),
        Heading("纠纷事实与争议事项"),
        Paragraph(agreement.facts),
        Heading("口头协议内容"),
        _terms(dispute, agreement),
        Paragraph(f"口头协议自{words.day(agreement.effective_at)}达成之日起生效。{_FREE}"),
        _signatures(dispute, None),
    )
    return _sheet(dispute, "口头协议登记表", blocks, number=agreement.number)


def _notice(dispute: Dispute) -> Sheet:
    result = dispute_codes.results().get(dispute.result)
    if result is None or dispute.result not in dispute_codes.REMEDIES_NEEDED:
        raise _not_ready("failed mediation")
    names = "、".join(party.name for party in dispute.parties)
    told = (
        f"告知方式：{dispute.notice.way}；告知日期：{words.day(dispute.notice.at)}。"
        if dispute.notice
        else "告知方式：          告知日期："
    )
    blocks: tuple[Block, ...] = (
        Paragraph(f"{names}：", first_line=False),
        Paragraph(f"你们之间的纠纷（{dispute.description}），经{dispute.committee.name}调解，因“{result['zh']}”，调解终止。"),
        Paragraph(dispute.result_text) if dispute.result_text else Paragraph("特此告知。"),
        Heading("途径告知"),
        Paragraph(_WAYS),
        Paragraph(told, first_line=False),
        _signatures(dispute, None),
    )
    return _sheet(dispute, "调解终止及途径告知书", blocks, number=dispute.case_number)


def _confirmation(dispute: Dispute) -> Sheet:
    agreement = dispute.agreement
    if agreement is None or agreement.confirm_until is None:
        raise _not_ready("agreement a court could confirm")
    court = agreement.confirmation.court if agreement.confirmation else "            人民法院"
    blocks: tuple[Block, ...] = (
        *(_party(party) for party in dispute.parties),
        Heading("请求事项"),
        Paragraph(f"请求依法确认各方于{words.day(agreement.effective_at)}达成的{agreement.number}号人民调解协议有效。"),
        Heading("承诺"),
        Paragraph(
            "各方出于解决纠纷的目的自愿达成协议，没有恶意串通、规避法律的行为；如因该协议内容给他人造成损害的，愿意承担相应的法律责任。"
        ),
        Heading("附件"),
        Paragraph("调解协议；当事人身份证明；与协议有关的证明材料；送达地址和电话。"),
        Paragraph(f"此致\n{court}", first_line=False),
        _signatures(dispute, None, committee=False),
    )
    return _sheet(dispute, "司法确认申请书", blocks, number=agreement.number)


def _visits(dispute: Dispute) -> Sheet:
    if not dispute.visits:
        raise _not_ready("visit")
    rows = tuple(
        (words.VISITS[visit.kind], words.day(visit.at), "已履行" if visit.performed else "未履行完毕", visit.text)
        for visit in dispute.visits
    )
    grid = Grid(header=("回访", "日期", "履行情况", "记录"), widths=(15, 20, 17, 48), rows=rows)
    return _sheet(dispute, "回访记录", (grid,))


_PAPERS: dict[str, Callable[[Dispute], Sheet]] = {
    "agreement": _agreement,
    "registration": _registration,
    "record": _record,
    "oral_agreement": _oral,
    "notice": _notice,
    "confirmation": _confirmation,
    "visits": _visits,
}
