"""What goes wrong when JSON does not fit a message."""

from __future__ import annotations


class DecodeError(Exception):
    """A value that does not fit its field.

    `message` is one sentence. The path is built from the inside out while the error travels up, so that decoding a sound
    message never pays for it; `field` is "" when the document as a whole is wrong. Names are those the client wrote.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self._path: list[str | int] = []

    def inside(self, step: str | int) -> DecodeError:
        """Notes that the error lies in field (str) or element (int) `step` of what encloses it; returns itself."""
        self._path.append(step)
        return self

    @property
    def field(self) -> str:
        """Path of the offending field, for instance `tasks[2].department`."""
        text = ""
        for step in reversed(self._path):
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


class EncodeError(Exception):
    """A message that has no JSON form (a time before year 1, an Any of unknown type). A defect of the service that sent it."""


_KINDS = {dict: "an object", list: "an array", str: "a string", bool: "true or false", int: "a number", float: "a number"}


def kind_of(value: object) -> str:
    """Names the JSON type of a value, for error texts."""
    return "null" if value is None else _KINDS.get(type(value), type(value).__name__)


def expected(what: str, value: object) -> DecodeError:
    """The error for a value of the wrong JSON type."""
    return DecodeError(f"must be {what}, not {kind_of(value)}")
