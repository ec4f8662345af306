"""How stored residents become messages: sealed values are opened; the server masks what the caller may not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from binglian.population.v1 import resident_pb2

from population.domain.resident import Resident
from population.domain.secret import Secret
from population.vault import Vault
from svckit.messages import to_message

SEALED = ("id_number", "phone")


class Showing:
    """Opens what `vault` sealed."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def resident(self, resident: Resident) -> resident_pb2.Resident:
        """Returns a resident in clear text."""
        return self._opened(msgspec.structs.asdict(resident), owner=resident.resident_id)

    def row(self, row: Mapping[str, Any]) -> resident_pb2.Resident:
        """Returns a resident in clear text, from the raw document."""
        return self._opened({**row, "resident_id": row["_id"]}, owner=row["_id"])

    def reseal(self, secret: Secret, *, field: str, owner: str, to: str) -> Secret:
        """Seals a value of one document for another one."""
        return self._vault.seal(self._vault.open(secret.cipher, field=field, owner=owner), field=field, owner=to)

    def _opened(self, fields: dict[str, Any], *, owner: str) -> resident_pb2.Resident:
        for name in SEALED:
            secret = fields.get(name)
            if secret is not None:
                fields[name] = self._open(secret, field=name, owner=owner)
        if fields.get("documents"):
            fields["documents"] = [self._document(document, owner) for document in fields["documents"]]
        return to_message(resident_pb2.Resident, fields)

    def _document(self, document: Any, owner: str) -> dict[str, Any]:
        fields = dict(document) if isinstance(document, Mapping) else msgspec.structs.asdict(document)
        return fields | {"number": self._open(fields["number"], field="id_number", owner=owner)}

    def _open(self, secret: Any, *, field: str, owner: str) -> str:
        cipher = secret["cipher"] if isinstance(secret, Mapping) else secret.cipher
        return self._vault.open(cipher, field=field, owner=owner)
