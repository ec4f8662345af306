"""What a service adds to every rpc it serves, by construction: a look at the request before, and at the answer before it leaves."""

from __future__ import annotations

from typing import Any, Protocol

from google.protobuf.descriptor import MethodDescriptor

from svckit.access import Caller


class Guarded(Protocol):
    """The guard of one rpc."""

    def check(self, caller: Caller, request: Any) -> None:
        """Raises a ServiceError when the request may not go on to the handler. Of a stream of requests it sees each."""

    async def shown(self, caller: Caller, request: Any, response: Any) -> Any:
        """Gets an answer before it is masked and returns what may leave; raises a ServiceError when nothing may.

        `request` is None for an rpc that takes a stream.
        """

    async def strayed(self, caller: Caller, request: Any) -> None:
        """Hears that a call was refused because it reached for something outside the caller's area.

        `request` is None for an rpc that takes a stream, and where none was understood.
        """


class Guard(Protocol):
    """What a service sets as `Api.guard`; calls without a caller (public rpcs) are not guarded."""

    def of(self, method: MethodDescriptor) -> Guarded | None:
        """Returns the guard of an rpc, None where there is nothing to guard. Asked once per rpc, when the server starts."""
