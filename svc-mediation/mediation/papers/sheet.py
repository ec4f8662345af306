"""What a paper consists of, whatever it is set with. Lengths are shares of the width of the text."""

from __future__ import annotations

import msgspec


class Heading(msgspec.Struct, frozen=True):
    """A section's title."""

    text: str


class Paragraph(msgspec.Struct, frozen=True):
    """Running text; its lines are kept. `first_line`: indented by two characters, as Chinese paragraphs begin."""

    text: str
    first_line: bool = True


class Form(msgspec.Struct, frozen=True):
    """Labels and values, two pairs to a row where `pairs` is 2."""

    rows: tuple[tuple[str, str], ...]
    title: str = ""
    pairs: int = 1


class Grid(msgspec.Struct, frozen=True):
    """A table with a heading row; `widths` are shares of the text's width."""

    header: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


class Signatures(msgspec.Struct, frozen=True):
    """Boxes to sign in: who, and what was signed already or where to sign."""

    slots: tuple[tuple[str, str], ...]


class NewPage(msgspec.Struct, frozen=True):
    """What follows stands on a page of its own."""


Block = Heading | Paragraph | Form | Grid | Signatures | NewPage


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """A whole paper. `number` stands under the title, `foot` at the foot of every page, `name` is the file's without ending."""

    title: str
    number: str
    blocks: tuple[Block, ...]
    foot: str
    name: str
