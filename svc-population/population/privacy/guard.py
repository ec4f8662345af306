"""Guards every rpc of population by construction, also those that are added later: texts are screened, looks and changes recorded.

Recorded are answers that show more than everybody may see, because a purpose was stated, and everything that changes something. What a
resident had restricted (dsr R4 and R5, or R3 while the law forbids erasing) stays masked for all but a few purposes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from population.privacy import audit
from population.privacy.filters import check_filters, filters_of
from population.privacy.restrictions import DESPITE_RESTRICTION
from population.privacy.subjects import ID, concerns_people, people_in
from population.privacy.texts import check_request
from population.privacy.trail import Trail
from svckit.access import Caller
from svckit.errors import Unavailable
from svckit.masking import masker_of
from svckit.purposes import WITHOUT_PURPOSE, level_for
from svckit.wellknown import descriptor_of

EMERGENCY = "P10"

_BY_NAME: Mapping[str, str] = {
    "FindResidents": audit.SEARCH,
    "RevealResident": audit.REVEAL,
    "ListDataAuditEntries": audit.AUDIT_READ,
}
_BY_SERVICE: Mapping[str, str] = {"DataRightsService": audit.RIGHTS, "MyDataService": audit.RIGHTS}
_CHOOSING = "QuestionService/FindPeople"
"""Who is in its list has what was asked for, which a mask would not hide: who is restricted is left out."""
_BULK = ("Find", "List", "Search", "Export", "Download", "Query", "Batch")
_SHARING = ("CrossCheck", "Match", "StartFeed")


class PrivacyGuard:
    """The guard of all rpcs; `restricted` tells which residents' data are restricted now for a purpose."""

    def __init__(self, *, trail: Trail, restricted: Callable[[str], Collection[str]]) -> None:
        self._trail = trail
        self._restricted = restricted

    def of(self, method: MethodDescriptor) -> RpcGuard | None:
        """Returns the guard of an rpc of ours, None for health checks and the like and for reads that show nothing of a person."""
        if not method.full_name.startswith("binglian."):
            return None
        changes = "request_id" in method.input_type.fields_by_name
        shows = masker_of(method.output_type) is not None
        if not (changes or shows or method.name in _BY_NAME):
            return None
        return RpcGuard(method, trail=self._trail, restricted=self._restricted, changes=changes)


class RpcGuard:
    """The guard of one rpc."""

    def __init__(
        self, method: MethodDescriptor, *, trail: Trail, restricted: Callable[[str], Collection[str]], changes: bool
    ) -> None:
        self._rpc = f"{method.containing_service.name}/{method.name}"
        self._trail = trail
        self._restricted = restricted
        self._changes = changes
        self._always = changes or method.name in _BY_NAME
        self._event = event_of(method)
        self._filters = filters_of(method)
        self._mask = masker_of(method.output_type)
        self._names_people = concerns_people(method.output_type)

    def check(self, caller: Caller, request: Any) -> None:
        """Raises InvalidArgument for a text that says what must not be kept, PermissionDenied for a filter that tells what is hidden."""
        if self._changes:
            check_request(request)
        if self._filters:
            check_filters(self._filters, caller, request)

    async def shown(self, caller: Caller, request: Any, response: Any) -> Any:
        """Masks what is restricted, and records the look or the change. Raises Unavailable (AUDIT_UNAVAILABLE)."""
        unmasked = self._mask is not None and level_for(caller.purpose) > WITHOUT_PURPOSE
        if not (unmasked or self._always):
            return response
        people = dict.fromkeys(id for id, _ in people_in(response)) if self._names_people else {}
        if unmasked and people and caller.purpose not in DESPITE_RESTRICTION:
            response = self._without_restricted(response, people, purpose=caller.purpose)
        if self._always or (self._mask is not None and self._mask(response) is not response):
            asked = getattr(request, ID, "")
            residents = tuple(people) or ((asked,) if asked else ())
            # Looking in an emergency (P10) is breaking a glass, whatever is looked at: somebody has to look into it afterwards.
            event = audit.BREAK_GLASS if unmasked and caller.purpose == EMERGENCY else self._event
            await self._trail.record(caller, event=event, rpc=self._rpc, residents=residents)
        return response

    async def strayed(self, caller: Caller, request: Any) -> None:
        """Records that somebody reached for people outside their area; the refusal stands, also when it cannot be recorded."""
        asked = getattr(request, ID, "") if request is not None else ""
        with contextlib.suppress(Unavailable):
            await self._trail.record(caller, event=audit.OUT_OF_SCOPE, rpc=self._rpc, residents=(asked,) if asked else ())

    def _without_restricted(self, response: Message, people: Collection[str], *, purpose: str) -> Message:
        restricted = self._restricted(purpose)
        hidden = {id for id in people if id in restricted}
        if not hidden:
            return response
        copy: Any = type(response)()
        copy.CopyFrom(response)
        if self._rpc == _CHOOSING:
            kept = [one for one in copy.people if one.resident_id not in hidden]
            del copy.people[:]
            copy.people.extend(kept)
        for id, part in people_in(copy):
            mask: Callable[[Message], Message] | None = masker_of(descriptor_of(part))
            if id in hidden and mask:
                part.CopyFrom(mask(part))
        return copy


def event_of(method: MethodDescriptor) -> str:
    """Returns the code of audit_event.csv an rpc is recorded under."""
    name, service = method.name, method.containing_service.name
    if name in _BY_NAME or service in _BY_SERVICE:
        return _BY_NAME.get(name) or _BY_SERVICE[service]
    if any(word in service or word in name for word in _SHARING):
        return audit.SHARING
    if name.startswith(_BULK):
        return audit.BULK
    return audit.CHANGE if "request_id" in method.input_type.fields_by_name else audit.REVEAL
