"""The register follows what was accepted in a person's ledger."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from population.domain.collection import FieldLedger
from population.domain.facts import ResidentChanged
from population.domain.resident import Resident
from population.names import name_keys
from population.operations.residents import changed_fact


def follow_ledger(
    resident: Resident, *, ledger: FieldLedger, fields: Collection[str], now: datetime
) -> tuple[Resident, tuple[ResidentChanged, ...]]:
    """Takes the accepted values of the named fields into the register; told again, it changes nothing."""
    taken: dict[str, Any] = {}
    for entry in ledger.entries:
        if entry.field in fields:
            value = entry.accepted.secret if entry.field == "phone" else entry.accepted.value
            if getattr(resident, entry.field) != value:
                taken[entry.field] = value
    if not taken:
        return resident, ()
    changed = replace(resident, **taken, changed_at=now)
    if "name" in taken or "name_latin" in taken:
        changed = replace(changed, name_keys=name_keys(changed.name, latin=changed.name_latin))
    return changed, (changed_fact(changed, tuple(taken), now=now),)
