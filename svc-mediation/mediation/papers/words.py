"""Chinese words for dates, amounts and codes on papers. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from mediation.domain.dispute import PartySide, ReminderKind, SignatureWay

_SHANGHAI = timedelta(hours=8)
_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "万亿")
NUMERALS = "一二三四五六七八九十"

SIDES = {PartySide.APPLICANT: "申请人", PartySide.RESPONDENT: "被申请人", PartySide.THIRD: "第三人"}
WAYS = {SignatureWay.SIGNED: "签名", SignatureWay.SEALED: "盖章", SignatureWay.THUMB_MARK: "按指印"}
SEXES = {"1": "男", "2": "女"}
VISITS = {ReminderKind.FIRST_VISIT: "七日回访", ReminderKind.SECOND_VISIT: "三十日回访"}


def day(at: datetime | None) -> str:
    """Returns the day in Shanghai as 2026年11月22日, "" for None."""
    if at is None:
        return ""
    local = at.astimezone(UTC) + _SHANGHAI
    return f"{local.year}年{local.month}月{local.day}日"


def minute(at: datetime | None) -> str:
    """Returns the minute in Shanghai as 2026年11月22日 09:30, "" for None."""
    return f"{day(at)} {at.astimezone(UTC) + _SHANGHAI:%H:%M}" if at else ""


def plain_day(text: str) -> str:
    """Returns 2026-12-31 as 2026年12月31日; what is no such day stays as it is."""
    parts = text.split("-")
    return f"{int(parts[0])}年{int(parts[1])}月{int(parts[2])}日" if len(parts) == 3 else text


def month(text: str) -> str:
    """Returns 1980-05 as 1980年5月."""
    year, dash, number = text.partition("-")
    return f"{year}年{int(number)}月" if dash else text


def amount(cents: int) -> str:
    """Returns an amount in figures and in the characters nobody alters: ¥5,000.00（人民币伍仟元整）."""
    return f"¥{cents // 100:,}.{cents % 100:02d}（人民币{in_characters(cents)}）" if cents else ""


def in_characters(cents: int) -> str:
    """Returns an amount (0.01 yuan) in banker's characters: 伍仟元整, 壹万零叁元伍角, 伍分 (正确填写票据和结算凭证的基本规定)."""
    yuan, rest = divmod(cents, 100)
    jiao, fen = divmod(rest, 10)
    text = f"{_whole(yuan)}元" if yuan else ""
    if not rest:
        return f"{text or '零元'}整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif text:
        text += "零"
    return f"{text}{_DIGITS[fen]}分" if fen else f"{text}整"


def _whole(number: int) -> str:
    """Returns a whole number of up to sixteen digits; a gap of zeros, wherever it lies, is read as one 零."""
    text, position, gap = "", 0, False
    groups: list[int] = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    for position in range(len(groups) - 1, -1, -1):
        group = groups[position]
        if not group:
            gap = bool(text)
            continue
        if text and (gap or group < 1000):
            text += _DIGITS[0]
        text += _group(group) + _GROUPS[position]
        gap = False
    return text


def _group(number: int) -> str:
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(text)
            continue
        text += (_DIGITS[0] if gap else "") + _DIGITS[digit] + _PLACES[place]
        gap = False
    return text
