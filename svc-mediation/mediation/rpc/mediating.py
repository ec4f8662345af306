"""What the servicers of disputes and agreements share: finding a dispute, changing it, and reading requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
from google.protobuf.message import Message

from mediation.domain.dispute import Dispute, Term
from mediation.operations.dispute_flow import Outcome
from mediation.policies.disputes import check_dispute_revision, check_dispute_visible
from mediation.policies.protecting import check_texts
from svckit.access import Caller, current_caller
from svckit.documents import command_of, utc_now
from svckit.messages import to_fields, to_message
from svckit.store import Repository

Verb = Callable[[Dispute, Caller, datetime], Outcome]
_NATIVE = (datetime,)


class Mediating:
    """The disputes of a servicer."""

    def __init__(self, disputes: Repository[Dispute]) -> None:
        self._disputes = disputes

    async def change(self, response: type[Message], request: Any, verb: Verb) -> Any:
        """Decides a verb on the dispute of a request and returns its response. Raises as the verb, and for forbidden texts."""
        caller = current_caller()
        check_texts(to_fields(request))

        def decide(dispute: Dispute) -> Outcome:
            check_dispute_visible(dispute, caller)
            check_dispute_revision(dispute, request.revision)
            return verb(dispute, caller, utc_now())

        saved = await self._disputes.change(request.dispute_id, decide, command=command_of(request, caller))
        return to_message(response, {"dispute": saved})

    async def visible(self, dispute_id: str) -> Dispute:
        """Returns a dispute the caller may see. Raises DisputeNotFound."""
        dispute = await self._disputes.get(dispute_id)
        check_dispute_visible(dispute, current_caller())
        return dispute


def struct(message: Message, kind: type[Any], **given: Any) -> Any:
    """Returns a message as a struct of the domain; what is absent keeps its default, `given` goes before what the message says."""
    return msgspec.convert({**to_fields(message), **given}, kind, builtin_types=_NATIVE)


def structs(messages: Iterable[Message], kind: type[Any]) -> tuple[Any, ...]:
    """Returns messages as structs of the domain."""
    return tuple(struct(message, kind) for message in messages)


def terms(request: Any) -> tuple[Term, ...]:
    """Returns the terms of a request."""
    return structs(request.terms, Term)
