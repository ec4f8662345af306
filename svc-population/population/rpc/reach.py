"""Residents a caller may act on: what every servicer of residents begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from population import store
from population.domain.resident import Resident
from population.vault import Vault
from svckit.access import check_area, current_caller, may_act_in
from svckit.documents import Command
from svckit.errors import Conflict
from svckit.store import Repository

Decided = tuple[Resident, Sequence[Any]]


class Reach:
    """The residents of the caller's area."""

    def __init__(self, residents: Repository[Resident], vault: Vault) -> None:
        self.residents = residents
        self._vault = vault

    async def get(self, resident_id: str) -> Resident:
        """Returns a resident. Raises NotFound, also for one outside the caller's area."""
        resident = await self.residents.get(resident_id)
        if not may_act_in(current_caller(), resident.area_code):
            raise self.residents.form.not_found(resident_id)
        return resident

    async def change(self, resident_id: str, decide: Callable[[Resident], Decided], *, command: Command) -> Resident:
        """Decides on a resident of the caller's area. Raises PermissionDenied (AREA_NOT_ALLOWED) and what `decide` raises."""
        caller = current_caller()

        def inside(resident: Resident) -> Decided:
            check_area(caller, resident.area_code)
            return decide(resident)

        return await self.residents.change(resident_id, inside, command=command)

    async def check_numbers(self, residents: Sequence[Resident], commands: Sequence[Command]) -> None:
        """Raises Conflict (ID_NUMBER_EXISTS) when another command entered one of the numbers; the same command may come again."""
        mine = {command.key for command in commands}
        for city in {resident.city for resident in residents}:
            indexes = [
                index
                for resident in residents
                if resident.id_number and resident.city == city
                for index in self._vault.indexes_of(resident.id_number, field="id_number", owner=resident.resident_id)
            ]
            for row in await store.with_numbers(self.residents.collection, city=city, indexes=indexes) if indexes else ():
                if row["created_by"]["key"] not in mine:
                    raise self._taken(row)

    async def check_number_free(self, number: str, *, city: str, resident_id: str) -> None:
        """Raises Conflict (ID_NUMBER_EXISTS) when somebody else of the city has a number (in normal form)."""
        indexes = self._vault.indexes(number, field="id_number")
        for row in await store.with_numbers(self.residents.collection, city=city, indexes=indexes):
            if row["_id"] != resident_id:
                raise self._taken(row)

    def _taken(self, row: Mapping[str, Any]) -> Conflict:
        """Names the resident only to callers who may see them."""
        visible = may_act_in(current_caller(), row["area_code"])
        return Conflict(
            "Somebody with this identity number is entered already.",
            reason="ID_NUMBER_EXISTS",
            metadata={"resident_id": row["_id"]} if visible else {},
        )
