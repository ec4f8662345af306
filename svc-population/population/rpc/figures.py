"""Statistics as messages: what is withheld leaves here as withheld."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from binglian.population.v1 import question_pb2 as pb
from google.protobuf.timestamp_pb2 import Timestamp

from population.statistics import suppression
from population.statistics.households import Sizes
from population.statistics.pyramids import Pyramid

OLDEST = 150
UNKNOWN_AGE = -1


def count_of(value: int | None) -> pb.Count:
    """Returns a count, None as withheld."""
    return pb.Count(withheld=True) if value is None else pb.Count(value=value)


def freshness(*, as_of: dt.datetime, now: dt.datetime) -> pb.Freshness:
    """Returns how fresh an answer of the replica is."""
    return pb.Freshness(source=pb.ANSWER_SOURCE_REPLICA, as_of=_time(as_of), lag_ms=_lag(now, as_of))


def fresh(now: dt.datetime, *, as_of: dt.datetime | None = None) -> pb.Freshness:
    """Returns how fresh an answer of the documents is; `as_of`: when they were read, where that was not for this answer."""
    read_at = as_of or now
    return pb.Freshness(source=pb.ANSWER_SOURCE_DOCUMENTS, as_of=_time(read_at), lag_ms=_lag(now, read_at))


def _lag(now: dt.datetime, as_of: dt.datetime) -> int:
    return max(now - as_of, dt.timedelta(0)) // dt.timedelta(milliseconds=1)


def areas(counts: Mapping[str, int | None]) -> Iterable[pb.AreaCount]:
    """Returns counts by area."""
    return (pb.AreaCount(area_code=code, count=count_of(count)) for code, count in counts.items())


def pyramid(found: Pyramid, *, years: int) -> tuple[list[pb.PyramidBand], pb.PyramidBand]:
    """Returns the bands, without gaps, and their sum."""
    bands = [_band(first, years, cells, total) for first, cells, total in found.bands]
    return bands, pb.PyramidBand(from_age=0, to_age=OLDEST, **_counts(found.sexes, found.total))


def _band(first: int | None, years: int, cells: Sequence[int | None], total: int | None) -> pb.PyramidBand:
    begin, end = (UNKNOWN_AGE, 0) if first is None else (first, first + years - 1)
    return pb.PyramidBand(from_age=begin, to_age=end, **_counts(cells, total))


def _counts(inner: Sequence[int | None], total: int | None) -> dict[str, pb.Count]:
    male, female, other = inner
    return {"male": count_of(male), "female": count_of(female), "other": count_of(other), "total": count_of(total)}


def household_sizes(found: Sizes) -> tuple[list[pb.HouseholdSize], pb.Count]:
    """Returns households by size and in all."""
    sizes = [pb.HouseholdSize(size=size, households=count_of(count)) for size, count in enumerate(found.by_size, start=1)]
    return sizes, count_of(found.total)


def ages(bands: Sequence[tuple[int, int]], people: Sequence[int]) -> tuple[list[pb.AgeCount], pb.Count]:
    """Returns counts by band of ages and in all."""
    line = suppression.line(people)
    counts = [
        pb.AgeCount(age=first, to_age=last, count=count_of(count))
        for (first, last), count in zip(bands, line.counts, strict=True)
    ]
    return counts, count_of(line.total)


def trend(days: Iterable[dt.date], told: Mapping[dt.date, int | None]) -> Iterable[pb.TrendPoint]:
    """Returns the points of a trend."""
    return (pb.TrendPoint(day=day.isoformat(), count=count_of(told[day])) for day in days)


def _time(moment: dt.datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
