"""What the commands print on."""

import os

from rich.console import Console

PIPED_WIDTH = 132
"""Columns where there is no terminal to ask, so that tables in logs are not squeezed."""


def wide_console() -> Console:
    """The terminal as wide as it is; a pipe or file PIPED_WIDTH columns, unless COLUMNS says otherwise."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=PIPED_WIDTH)
