"""The made-up city: districts of 200,000 people in streets, communities and grids of about 900, with coordinates. Pure."""

from __future__ import annotations

import msgspec

CITY = "4205"
DISTRICT_PEOPLE = 200_000
STREETS, COMMUNITIES, GRIDS = 8, 7, 4
"""Streets of a district, communities of a street, grids of a community (GB-sized: 3,600 people in a community, 900 in a grid)."""
BLOCK_PEOPLE = DISTRICT_PEOPLE // STREETS
"""A block is made at once, by one process: a street."""
MOST_BLOCKS = 9_999
"""The blocks number the area part of made-up identity numbers, 99 and four digits."""

_WEST, _SOUTH = 111.20, 30.60
_STEP = 0.008
"""Degrees from one grid to the next, about 800 m."""


class Block(msgspec.Struct, frozen=True):
    """A street's share of the people; `number` counts from 0."""

    number: int
    people: int

    @property
    def street(self) -> str:
        """Code of the street (9 digits)."""
        district, street = divmod(self.number, STREETS)
        return f"{CITY}{district + 2:02d}{street + 1:03d}"

    @property
    def number_area(self) -> str:
        """First six digits of the identity numbers made here."""
        return f"99{self.number + 1:04d}"

    def grids(self) -> list[str]:
        """Codes of the grids (17 digits)."""
        return [f"{self.street}{community + 1:03d}1{grid + 1:04d}" for community in range(COMMUNITIES) for grid in range(GRIDS)]

    def corner(self, grid: int) -> tuple[float, float]:
        """Longitude and latitude of the south-west corner of a grid."""
        district, street = divmod(self.number, STREETS)
        community, part = divmod(grid, GRIDS)
        column = (district % 10) * STREETS * 2 + street * 2 + part % 2
        row = (district // 10) * COMMUNITIES * 2 + community * 2 + part // 2
        return _WEST + column * _STEP, _SOUTH + row * _STEP


def blocks(people: int) -> list[Block]:
    """Divides so many people into blocks. Raises ValueError for less than one and more than the made-up numbers reach for."""
    full, rest = divmod(people, BLOCK_PEOPLE)
    count = full + bool(rest)
    if people < 1 or count > MOST_BLOCKS:
        raise ValueError(f"between 1 and {MOST_BLOCKS * BLOCK_PEOPLE:,} residents can be made")
    return [Block(number, BLOCK_PEOPLE if number < full else rest) for number in range(count)]
