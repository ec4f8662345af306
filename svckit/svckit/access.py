"""Who calls: the caller of the running rpc, and the rule that keeps areas apart."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from svckit.errors import PermissionDenied, Unauthenticated

CITY_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """Identity taken from a verified token.

    `area` is the prefix of area codes the caller may act in ("4205", "420502", …; "" means everywhere), `department` a code of
    department.csv or "". `purposes` are allowed to be stated, `purpose` is the one stated in this call ("" if none). `expires_at` is when
    the token does (Unix seconds).
    """

    subject: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    area: str = ""
    department: str = ""
    purposes: frozenset[str] = frozenset()
    purpose: str = ""
    expires_at: float = math.inf

    @property
    def city(self) -> str:
        """Four digits of the caller's city, "" for a caller that may act everywhere."""
        return self.area[:CITY_DIGITS]

    def has_role(self, *roles: str) -> bool:
        """Tells whether the caller has at least one of `roles`."""
        return not self.roles.isdisjoint(roles)


_caller: ContextVar[Caller] = ContextVar("svckit_caller")
_authorization: ContextVar[str] = ContextVar("svckit_authorization", default="")
_strayed: ContextVar[bool] = ContextVar("svckit_strayed", default=False)


def current_caller() -> Caller:
    """Returns the caller of the running rpc. Raises Unauthenticated in an rpc that was called without a token."""
    caller = _caller.get(None)
    if caller is None:
        raise Unauthenticated("This call needs a token.")
    return caller


def maybe_caller() -> Caller | None:
    """Returns the caller of the running rpc, None in a public rpc that was called without a token."""
    return _caller.get(None)


def set_caller(caller: Caller, *, authorization: str) -> None:
    """Makes `caller` the caller of the running task. For the server; tests use `acting_as`."""
    _caller.set(caller)
    _authorization.set(authorization)


def current_authorization() -> str:
    """Returns the `authorization` metadata of the running rpc, which goes along when this service asks another; "" if none."""
    return _authorization.get()


@contextlib.contextmanager
def acting_as(caller: Caller) -> Iterator[Caller]:
    """Makes `caller` the current caller inside the block."""
    token = _caller.set(caller)
    try:
        yield caller
    finally:
        _caller.reset(token)


def check_area(caller: Caller, area_code: str) -> None:
    """Raises PermissionDenied (AREA_NOT_ALLOWED) unless `area_code` lies inside the caller's area.

    A thing without an area yet ("") is open to nobody but callers that may act everywhere: it belongs to no city.
    """
    if not may_act_in(caller, area_code):
        raise PermissionDenied(
            "This area is outside the area you may act in.", reason="AREA_NOT_ALLOWED", metadata={"area": caller.area}
        )


def may_act_in(caller: Caller, area_code: str) -> bool:
    """Tells whether `check_area` would pass."""
    if area_code.startswith(caller.area):
        return True
    _strayed.set(True)
    return False


def strayed() -> bool:
    """Tells whether the running rpc met something outside its caller's area: also where it says "not found"."""
    return _strayed.get()


def caller_from_claims(claims: Mapping[str, Any]) -> Caller:
    """Builds the caller from verified token claims (sub, area, name, roles, department, purposes).

    "Everywhere" has to be said, by an empty `area`: a token of an issuer that knows no areas must not open all cities.
    Raises Unauthenticated when a claim has the wrong shape, or `sub` or `area` is missing.
    """
    try:
        return Caller(
            subject=_text(claims["sub"]),
            name=_text(claims.get("name", "")),
            roles=_texts(claims.get("roles", ())),
            area=_text(claims["area"]),
            department=_text(claims.get("department", "")),
            purposes=_texts(claims.get("purposes", ())),
        )
    except (KeyError, TypeError) as error:
        raise Unauthenticated("The token lacks a claim or holds one of the wrong type.", reason="TOKEN_INVALID") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list | tuple):
        raise TypeError(value)
    return frozenset(_text(item) for item in value)
