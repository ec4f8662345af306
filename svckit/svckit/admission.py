"""Whether a caller may make a call: the rule `(binglian.options.v1.access)` beside each rpc."""

from __future__ import annotations

from collections.abc import Callable

from binglian.options.v1 import options_pb2
from google.protobuf.descriptor import MethodDescriptor

from svckit.access import Caller
from svckit.errors import PermissionDenied, Unauthenticated

Admit = Callable[[Caller | None], None]


def is_public(method: MethodDescriptor) -> bool:
    """Tells whether anyone may call the rpc without a token."""
    return bool(method.GetOptions().Extensions[options_pb2.access].public)


def admission_of(method: MethodDescriptor) -> Admit:
    """Returns the function that raises Unauthenticated or PermissionDenied unless the caller may call the rpc.

    Reasons: ACCESS_NOT_DECLARED, TOKEN_MISSING, ROLE_REQUIRED, PURPOSE_REQUIRED, PURPOSE_NOT_ALLOWED.
    """
    options = method.GetOptions()
    if not options.HasExtension(options_pb2.access):
        return _refuse_undeclared
    rule = options.Extensions[options_pb2.access]
    roles, purposes = frozenset(rule.roles), frozenset(rule.purposes)
    if rule.public:
        return _admit_anyone

    def admit(caller: Caller | None) -> None:
        if caller is None:
            raise Unauthenticated("This call needs a bearer token.", reason="TOKEN_MISSING")
        if roles and caller.roles.isdisjoint(roles):
            raise PermissionDenied(
                "None of your roles may do this.", reason="ROLE_REQUIRED", metadata={"roles": ",".join(sorted(roles))}
            )
        if caller.purpose or purposes:
            _check_purpose(caller, purposes)

    return admit


def _check_purpose(caller: Caller, purposes: frozenset[str]) -> None:
    needed = {"purposes": ",".join(sorted(purposes))}
    if not caller.purpose:
        raise PermissionDenied("State the purpose of this call in x-purpose.", reason="PURPOSE_REQUIRED", metadata=needed)
    if caller.purpose not in caller.purposes or (purposes and caller.purpose not in purposes):
        raise PermissionDenied("You may not do this for the stated purpose.", reason="PURPOSE_NOT_ALLOWED", metadata=needed)


def _refuse_undeclared(_caller: Caller | None) -> None:
    raise PermissionDenied("Nobody may call this: its proto declares no access.", reason="ACCESS_NOT_DECLARED")


def _admit_anyone(caller: Caller | None) -> None:
    """A public rpc asks for nothing; but a purpose, once stated, unmasks and so has to be one of the caller's."""
    if caller is not None and caller.purpose:
        _check_purpose(caller, frozenset())
