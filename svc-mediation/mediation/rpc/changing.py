"""What the servicers of cases share: reading a case as its caller may, and carrying out one verb on it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from mediation import policies
from mediation.domain import Case
from mediation.operations import Outcome
from mediation.rpc import translate
from svckit.access import Caller, current_caller
from svckit.documents import command_of, utc_now
from svckit.store import Repository

Verb = Callable[[Case, Caller, datetime], Outcome]


class CaseVerbs:
    """Verbs on the cases of one repository."""

    def __init__(self, cases: Repository[Case]) -> None:
        self.cases = cases

    async def change(self, response: type[Any], request: Any, verb: Verb, *, offline: bool = False) -> Any:
        """Returns the response with the case after the verb; visibility and revision are checked first.

        Raises CaseNotFound also when the caller, who repeats a request, may no longer know of the case.
        """
        case, repeated = await self._decided(request, verb, offline=offline)
        if repeated:
            policies.check_visible(case, current_caller())
        return translate.answer(response, case)

    async def changed(self, request: Any, verb: Verb, *, offline: bool = False) -> Case:
        """Returns the case after the verb. Raises as Repository.change, CaseNotFound, StaleRevision and the verb."""
        return (await self._decided(request, verb, offline=offline))[0]

    async def _decided(self, request: Any, verb: Verb, *, offline: bool) -> tuple[Case, bool]:
        """The case after the verb, and whether an earlier call with this request had done it already."""
        caller = current_caller()
        fields = request.DESCRIPTOR.fields_by_name
        at = translate.happened(request, caller, offline=offline) if "happened_at" in fields else utc_now()
        revision = request.revision if "revision" in fields else 0

        repeated = True

        def decide(case: Case) -> Outcome:
            nonlocal repeated
            repeated = False
            translate.check_readable(case, caller, revision)
            return verb(case, caller, at)

        saved = await self.cases.change(request.case_id, decide, command=command_of(request, caller))
        return saved, repeated

    async def visible(self, case_id: str) -> Case:
        """Returns a case. Raises CaseNotFound also for one the caller may not know of."""
        case = await self.cases.get(case_id)
        policies.check_visible(case, current_caller())
        return case
