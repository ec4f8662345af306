"""Identity documents beside the first."""

from __future__ import annotations

import msgspec

from population.domain.secret import Secret


class IdDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document beside the first: a passport beside a permit, an earlier number, the number of an entry that was merged.

    Its number is sealed as the field "id_number" of its resident, so that people are found by any of their numbers alike.
    """

    document_id: str
    id_doc_type: str
    number: Secret
