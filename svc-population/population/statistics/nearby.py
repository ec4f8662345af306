"""How many live around a point, so that no set of answers gives anybody away. Pure.

Whoever may draw circles at will around any point can subtract one from another. So people are put together into blocks before any
circle is drawn: a square of some seven kilometres is cut into quarters, and these again, down to cells of some 200 m, as long as every
part keeps at least k people of a band of ages or nobody. A quarter with fewer goes with the others like it, as one block spread over the
whole square, or where these are too few still with the largest quarter. A circle counts of each block the share of its square that lies
inside, as planners do with census tracts. All that adding and subtracting answers can yield is made of whole blocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from population.statistics.suppression import K

CELL = 0.002
"""Side of the smallest squares in degrees: 222 m to the north, 190 m to the east at Yichang."""
LEVELS = 5
SIDE = 2**LEVELS
"""Cells of the side of the largest squares."""
BANDS = ((0, 2), (3, 5), (6, 11), (12, 14), (15, 17), (18, 59), (60, 79), (80, 150))
"""Ages that are counted together: infants, kindergarten, primary, junior and senior school, adults, the old, the very old."""
_POINTS = 5
"""So many points by so many in a cell tell how much of it lies inside a circle."""
EARTH_M = 6_371_008.8
"""Mean radius of the earth."""
METRES_PER_DEGREE = EARTH_M * math.pi / 180

Cells = NDArray[np.float64]


class Window(msgspec.Struct, frozen=True):
    """Whole largest squares around a circle: the numbers of the first row (south) and column (west) of cells, and how many there are."""

    row: int
    column: int
    rows: int
    columns: int


def window(*, longitude: float, latitude: float, radius_m: float) -> Window:
    """Returns the largest squares a circle touches."""
    high = radius_m / METRES_PER_DEGREE
    wide = high / max(math.cos(math.radians(min(abs(latitude) + high, 89.0))), 0.01)
    row, rows = _squares(latitude - high, latitude + high)
    column, columns = _squares(longitude - wide, longitude + wide)
    return Window(row, column, rows, columns)


def _squares(low: float, high: float) -> tuple[int, int]:
    first, last = math.floor(low / CELL / SIDE), math.floor(high / CELL / SIDE)
    return first * SIDE, (last - first + 1) * SIDE


def bands(first: int, last: int) -> list[tuple[int, int]]:
    """Returns the bands in which ages lie."""
    return [band for band in BANDS if band[0] <= last and first <= band[1]]


def spread(cells: Iterable[tuple[int, int, int]], *, over: Window) -> Cells:
    """Returns people by cell as they may be counted, from (row, column, people) of one band; only whole blocks are in it."""
    counts = np.zeros((over.rows, over.columns))
    for row, column, people in cells:
        if 0 <= row - over.row < over.rows and 0 <= column - over.column < over.columns:
            counts[row - over.row, column - over.column] += people
    out = np.zeros_like(counts)
    for row in range(0, over.rows, SIDE):
        for column in range(0, over.columns, SIDE):
            square = np.s_[row : row + SIDE, column : column + SIDE]
            if counts[square].sum() >= K:
                _cut(counts[square], 0.0, out[square])
    return out


def _cut(counts: Cells, guests: float, out: Cells) -> None:
    """Spreads the people of a square of at least k, and those who are counted with them, over its blocks."""
    half = len(counts) // 2
    quarters = [np.s_[up : up + half, left : left + half] for up in (0, half) for left in (0, half)] if half else []
    sums = [float(counts[quarter].sum()) for quarter in quarters]
    if not sums or max(sums) < K:
        out += (float(counts.sum()) + guests) / counts.size
        return
    rest = guests + sum(people for people in sums if people < K)
    joined = rest if rest < K else 0.0
    out += (rest - joined) / counts.size
    largest = sums.index(max(sums))
    for at, (quarter, people) in enumerate(zip(quarters, sums, strict=True)):
        if people >= K:
            _cut(counts[quarter], joined if at == largest else 0.0, out[quarter])


def within(people: Cells, *, over: Window, longitude: float, latitude: float, radius_m: float) -> int:
    """Returns how many of them live within a distance of a point, in whole people."""
    inner = (np.arange(_POINTS) + 0.5) / _POINTS
    north = np.radians(CELL * ((over.row + np.arange(over.rows))[:, None] + inner).ravel())
    east = np.radians(CELL * ((over.column + np.arange(over.columns))[:, None] + inner).ravel())
    up, right = math.radians(latitude), math.radians(longitude)
    ups = np.sin((north - up) / 2) ** 2
    rights = np.sin((east - right) / 2) ** 2
    far = ups[:, None] + np.cos(north)[:, None] * math.cos(up) * rights[None, :]
    inside = far <= math.sin(min(radius_m / 2 / EARTH_M, math.pi / 2)) ** 2
    shares = inside.reshape(over.rows, _POINTS, over.columns, _POINTS).mean(axis=(1, 3))
    return round(float((people * shares).sum()))
