"""Mailboxes over random nights and bursts: nobody hears from us twice a minute, nobody is woken but for life, nothing is lost."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mediation.domain.notice import Contact, Entry, Letter, Mailbox
from mediation.operations import mailing
from mediation.quiet import Shift, minute_of, parse_shift, weekday_of

UTC = dt.UTC
NOON = dt.datetime(2026, 11, 22, 4, tzinfo=UTC)
NIGHT = Shift(22 * 60, 7 * 60)
MINUTES = st.integers(0, 1439)
SHIFTS = st.builds(Shift, MINUTES, MINUTES)
INSTANTS = st.datetimes(dt.datetime(2026, 1, 1), dt.datetime(2027, 1, 1), timezones=st.just(UTC))
STEPS = st.lists(st.tuples(st.sampled_from(["post", "urgent", "tick", "seal"]), st.integers(0, 4_000_000)), max_size=60)


def entry(name: str, at: dt.datetime, *, urgent: bool = False) -> Entry:
    return Entry(notice_id=name, contact=Contact(duty_id="d"), at=at, urgent=urgent)


def names() -> Iterator[str]:
    return (f"l{number}" for number in range(10_000))


class World:
    """A mailbox and everything that happened to it. Time never runs backwards."""

    def __init__(self, quiet: Shift, start: dt.datetime) -> None:
        self.quiet = quiet
        self.now = start
        self.box = Mailbox(recipient="li")
        self.posted: dict[str, Entry] = {}
        self.letters: list[Letter] = []
        self._names = names()

    def post(self, *, urgent: bool) -> None:
        new = entry(f"n{len(self.posted)}", self.now, urgent=urgent)
        self.posted[new.notice_id] = new
        self.box = mailing.post(self.box, recipient="li", entry=new, quiet=self.quiet)

    def tick(self) -> None:
        before = self.box.letter
        self.box = mailing.cut(self.box, new_id=lambda: next(self._names), quiet=self.quiet, now=self.now)
        if self.box.letter is not None and before is None:
            self.letters.append(self.box.letter)

    def seal(self) -> None:
        if self.box.letter is not None:
            self.box = mailing.seal(self.box, letter_id=self.box.letter.letter_id, quiet=self.quiet)

    def run(self, steps: list[tuple[str, int]]) -> None:
        for verb, milliseconds in steps:
            self.now += dt.timedelta(milliseconds=milliseconds)
            {
                "post": lambda: self.post(urgent=False),
                "urgent": lambda: self.post(urgent=True),
                "tick": self.tick,
                "seal": self.seal,
            }[verb]()

    def finish(self) -> None:
        """The worker goes on until nothing waits; it looks exactly when something is due."""
        for _ in range(500):
            self.seal()
            if self.box.next_at is None:
                return
            self.now = max(self.now, self.box.next_at)
            self.tick()
        raise AssertionError("it never ends")


@given(quiet=SHIFTS, start=INSTANTS, steps=STEPS)
@example(quiet=NIGHT, start=NOON, steps=[("urgent", 0), ("tick", 0), ("seal", 0), ("urgent", 1), ("post", 1), ("tick", 100)])
def test_every_history(quiet: Shift, start: dt.datetime, steps: list[tuple[str, int]]) -> None:
    world = World(quiet, start)
    world.run(steps)
    world.finish()
    told = [one.notice_id for letter in world.letters for one in letter.entries]
    assert sorted(told) == sorted(world.posted), "each notice is in exactly one letter"
    cuts = [letter.cut_at for letter in world.letters]
    assert all(later - sooner >= mailing.BETWEEN_LETTERS for sooner, later in itertools.pairwise(cuts))
    for letter in world.letters:
        assert letter.entries
        assert not quiet.covers(letter.cut_at) or all(one.urgent for one in letter.entries)
    assert world.box.waiting == ()


@given(quiet=SHIFTS, start=INSTANTS, gap=st.integers(0, 200_000))
def test_what_cannot_wait_goes_as_soon_as_a_minute_is_over(quiet: Shift, start: dt.datetime, gap: int) -> None:
    world = World(quiet, start)
    world.run([("urgent", 0), ("tick", 0), ("seal", 0), ("urgent", gap)])
    world.finish()
    first, second = world.letters
    assert first.cut_at == start
    assert second.cut_at == max(start + dt.timedelta(milliseconds=gap), start + mailing.BETWEEN_LETTERS)


@given(start=INSTANTS, skews=st.tuples(st.integers(-2_000, 2_000), st.integers(-2_000, 2_000)))
def test_a_minute_is_one_though_the_clocks_of_workers_differ(start: dt.datetime, skews: tuple[int, int]) -> None:
    """One cuts, the other looks at every moment: the true times of the two letters are a minute apart, and not much more."""
    sooner, later = (dt.timedelta(milliseconds=skew) for skew in skews)
    world = World(Shift(0, 0), start + sooner)
    world.run([("urgent", 0), ("tick", 0), ("seal", 0), ("urgent", 0)])
    world.finish()
    first, second = (letter.cut_at for letter in world.letters)
    apart = (second - later) - (first - sooner)
    assert dt.timedelta(minutes=1) <= apart <= dt.timedelta(minutes=1, seconds=8)


@given(quiet=SHIFTS, start=INSTANTS)
def test_what_can_wait_gathers_and_then_goes_when_the_night_is_over(quiet: Shift, start: dt.datetime) -> None:
    world = World(quiet, start)
    world.run([("post", 0), ("tick", 1_000), ("post", 1_000)])
    world.finish()
    assert world.letters[0].cut_at == quiet.over(start + mailing.GATHER)
    assert len(world.letters[0].entries) == 2


@given(quiet=SHIFTS, start=INSTANTS, steps=STEPS)
def test_everything_may_be_repeated(quiet: Shift, start: dt.datetime, steps: list[tuple[str, int]]) -> None:
    world = World(quiet, start)
    world.run(steps)
    box = world.box
    for known in (*box.waiting, *(box.letter.entries if box.letter else ())):
        assert mailing.post(box, recipient="li", entry=known, quiet=quiet) is box
    assert mailing.seal(box, letter_id="of somebody else", quiet=quiet) is box
    if box.letter is not None:
        assert mailing.cut(box, new_id=lambda: "x", quiet=quiet, now=world.now + dt.timedelta(days=9)) is box


def test_a_night_of_many_lights_is_counted_not_kept() -> None:
    night = dt.datetime(2026, 11, 22, 16, tzinfo=UTC)
    box: Mailbox | None = None
    for number in range(mailing.MOST_WAITING + 30):
        box = mailing.post(box, recipient="li", entry=entry(f"n{number}", night), quiet=NIGHT)
    assert box is not None
    box = mailing.post(box, recipient="li", entry=entry("s1", night, urgent=True), quiet=NIGHT)
    assert (len(box.waiting), box.more) == (mailing.MOST_WAITING + 1, 30)
    woken = mailing.cut(box, new_id=lambda: "a", quiet=NIGHT, now=night)
    assert woken.letter is not None
    assert ([one.notice_id for one in woken.letter.entries], woken.letter.more, woken.more) == (["s1"], 0, 30)
    morning = mailing.seal(woken, letter_id="a", quiet=NIGHT)
    assert morning.next_at == dt.datetime(2026, 11, 22, 23, tzinfo=UTC)
    told = mailing.cut(morning, new_id=lambda: "b", quiet=NIGHT, now=morning.next_at)
    assert told.letter is not None
    assert (len(told.letter.entries), told.letter.more, told.more, told.waiting) == (mailing.MOST_WAITING, 30, 0, ())


def test_a_worker_that_looks_late_does_not_wake_anybody() -> None:
    evening = dt.datetime(2026, 11, 22, 13, 59, 50, tzinfo=UTC)
    box = mailing.post(None, recipient="li", entry=entry("n", evening), quiet=NIGHT)
    assert box.next_at == evening + mailing.GATHER
    late = mailing.cut(box, new_id=lambda: "x", quiet=NIGHT, now=evening + dt.timedelta(minutes=1))
    assert late.letter is None
    assert late.next_at == dt.datetime(2026, 11, 22, 23, tzinfo=UTC)


@given(shift=SHIFTS, at=INSTANTS)
def test_a_shift_is_over_at_its_end(shift: Shift, at: dt.datetime) -> None:
    end = shift.over(at)
    assert end >= at
    assert not shift.covers(end)
    if shift.covers(at):
        assert minute_of(end) == shift.until_minute
        assert end - at <= dt.timedelta(minutes=shift.length)
        assert (end.second, end.microsecond) == (0, 0)
    else:
        assert end == at


@given(shift=SHIFTS, at=INSTANTS)
def test_a_shift_covers_what_a_slow_count_covers(shift: Shift, at: dt.datetime) -> None:
    minutes = set()
    minute = shift.from_minute
    while minute != shift.until_minute:
        minutes.add(minute)
        minute = (minute + 1) % 1440
    assert shift.covers(at) == (minute_of(at) in minutes)


def test_minutes_and_weekdays_are_those_of_shanghai() -> None:
    at = dt.datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert (minute_of(at), weekday_of(at)) == (30, 1)
    assert weekday_of(at - dt.timedelta(hours=1)) == 7


@pytest.mark.parametrize(("text", "shift"), [("22:00-07:00", NIGHT), ("", Shift(0, 0)), ("00:00-23:59", Shift(0, 1439))])
def test_shifts_are_read(text: str, shift: Shift) -> None:
    assert parse_shift(text) == shift


@pytest.mark.parametrize("text", ["22-7", "24:00-07:00", "22:00-07:60", "22:00", "22:00-07:00 "])
def test_what_is_no_shift_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="22:00-07:00"):
        parse_shift(text)
