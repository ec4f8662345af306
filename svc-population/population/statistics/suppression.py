"""Withholding small counts of a table, with complementary suppression (purpose P08: k >= 10).

A count of 1 to k-1 is withheld. Because sums are published too, other counts have to be withheld with it, or a subtraction gives it
away. What is chosen always forms a cycle of withheld counts along which the values could have been shifted by k-1 without any
published count changing (Cox 1980, for tables of two dimensions): whoever knows all that is published cannot tell a withheld small
count from one that is up to k-1 larger. Zeros are published: that nobody is there says nothing about anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from population.policies.residents import SMALLEST_COUNT

K = SMALLEST_COUNT
"""Counts below it, other than 0, are withheld."""

Cell = tuple[int, int]
Hidden = set[Cell]


class Cells(msgspec.Struct, frozen=True):
    """A table as it may be shown: None stands where a count is withheld. `rows` and `columns` are the sums, `total` that of all."""

    inner: tuple[tuple[int | None, ...], ...]
    rows: tuple[int | None, ...]
    columns: tuple[int | None, ...]
    total: int | None


def small(count: int) -> bool:
    """Tells whether a count says too much about somebody."""
    return 0 < count < K


def shown(count: int, *, of: int | None = None) -> int | None:
    """Returns a single count, None where it is withheld: also when all but a few of `of` are meant."""
    return None if small(count) or (of is not None and small(of - count)) else count


class Line(msgspec.Struct, frozen=True):
    """Counts side by side and their sum, as they may be shown."""

    counts: tuple[int | None, ...]
    total: int | None


def line(counts: Sequence[int]) -> Line:
    """Withholds in one line of counts whose sum is told where it can be."""
    hidden = line_hidden(counts, slack=[count - 1 for count in counts])
    if hidden is None:
        return Line(tuple(None if count else 0 for count in counts), None)
    return Line(tuple(None if at in hidden else count for at, count in enumerate(counts)), sum(counts))


def line_hidden(counts: Sequence[int], *, slack: Sequence[int], also: Iterable[int] = (), room: int = 0) -> set[int] | None:
    """Returns which counts are withheld when their sum is known; None: the sum has to be withheld too, and all counts.

    For every small count the others can spare k-1 people who might have been counted with it; where there are not so many, all are
    withheld. `slack`: how many people a count could be smaller by, as far as anybody can tell (it is at least 1). `also`: counts that
    are withheld like small ones, for another reason. `room`: how many all withheld ones together can spare, if more.
    """
    primary = {at for at, count in enumerate(counts) if small(count)} | set(also)
    if not primary and not room:
        return primary
    hidden = set(primary)
    largest = max((slack[at] for at in primary), default=0)
    needed = max(largest + K - 1 if primary else 0, room)
    spare = sorted((at for at, count in enumerate(counts) if count and at not in hidden), key=lambda at: counts[at])
    while spare and (sum(slack[at] for at in hidden) < needed or len(hidden) < 2):
        chosen = _best(spare, slack, needed - sum(slack[at] for at in hidden))
        hidden.add(chosen)
        spare.remove(chosen)
    told_apart = any(sum(slack[other] for other in hidden - {at}) == 0 and slack[at] == 0 for at in primary)
    return None if primary and (len(hidden) < 2 or told_apart) else hidden


def _best(spare: Sequence[int], slack: Sequence[int], missing: int) -> int:
    """The smallest count that is enough; none is enough: the one that spares most."""
    return next((at for at in spare if slack[at] >= missing), max(spare, key=lambda at: slack[at]))


def table(inner: Sequence[Sequence[int]]) -> Cells:
    """Withholds in a table of two dimensions whose sums of rows, of columns and of all are told where they can be."""
    full = _Table(inner)
    if small(full.total) or not full.protect():
        full.hide_all()
    return full.cells()


class _Table:
    """The table with its sums as one more row and column; in these signs every row and every column of it adds up to 0.

    Shifting t along a rectangle (+t, -t, +t, -t) so changes no sum: a cell with sign +1 grows by it, one with -1 shrinks.
    """

    def __init__(self, inner: Sequence[Sequence[int]]) -> None:
        self._height, self._width = len(inner), len(inner[0]) if inner else 0
        rows = [[*row, sum(row)] for row in inner]
        rows.append([sum(column) for column in zip(*rows, strict=True)] if rows else [0])
        self._values = rows
        self.total = rows[-1][-1]
        self._corner = (self._height, self._width)
        self._hidden: Hidden = set()

    def protect(self) -> bool:
        """Withholds what is needed; False when that is not possible with rectangles."""
        primary = [cell for cell in self._cells() if small(self._value(cell))]
        self._hidden.update(primary)
        # Large ones first: what is withheld for them often serves the others.
        return all(self._protect_one(cell) for cell in sorted(primary, key=self._value, reverse=True))

    def hide_all(self) -> None:
        """Withholds everything but the zeros, for want of a better way."""
        self._hidden = {cell for cell in self._cells() if self._value(cell)}

    def cells(self) -> Cells:
        """The table as it may be shown."""
        values = [
            tuple(None if (row, column) in self._hidden else self._values[row][column] for column in range(self._width + 1))
            for row in range(self._height + 1)
        ]
        *inner, sums = values
        return Cells(
            inner=tuple(row[:-1] for row in inner),
            rows=tuple(row[-1] for row in inner),
            columns=sums[:-1],
            total=sums[-1],
        )

    def _protect_one(self, cell: Cell) -> bool:
        best = min(self._rectangles(cell), key=self._cost, default=None)
        if best is None:
            return False
        self._hidden.update(best)
        return True

    def _rectangles(self, cell: Cell) -> Iterator[tuple[Cell, Cell, Cell]]:
        """Yields the other corners of rectangles along which the cell could be k-1 larger."""
        row, column = cell
        sign = self._sign(cell)
        for other_row in range(self._height + 1):
            for other_column in range(self._width + 1):
                corners = ((row, other_column), (other_row, column), (other_row, other_column))
                if other_row == row or other_column == column or (other_row, other_column) == self._corner:
                    continue  # the sum of all is told elsewhere anyway
                if all(self._can_move(corner, sign * turn) for corner, turn in zip(corners, (-1, -1, 1), strict=True)):
                    yield corners

    def _can_move(self, cell: Cell, turn: int) -> bool:
        """Whether the cell's value could be k-1 more (turn and sign agree) or less; zeros are known to be zeros."""
        value = self._value(cell)
        return value > 0 and (self._sign(cell) * turn > 0 or value >= K)

    def _cost(self, corners: tuple[Cell, ...]) -> tuple[int, int]:
        """What withholding them takes from the reader: sums are missed most, then large counts."""
        fresh = [cell for cell in corners if cell not in self._hidden]
        sums = sum((cell[0] == self._height) + (cell[1] == self._width) for cell in fresh)
        return sums, sum(self._value(cell) for cell in fresh)

    def _sign(self, cell: Cell) -> int:
        return -1 if (cell[0] == self._height) != (cell[1] == self._width) else 1

    def _value(self, cell: Cell) -> int:
        return self._values[cell[0]][cell[1]]

    def _cells(self) -> Iterator[Cell]:
        return ((row, column) for row in range(self._height + 1) for column in range(self._width + 1))
