"""Who is in an export."""

from __future__ import annotations

from typing import Any

from population.domain.job import ExportSpec
from population.elections import voting
from population.policies.requests import read_day
from population.store.residents import HERE
from population.store.rows import in_area


def exported(*, own: str, spec: ExportSpec) -> dict[str, Any]:
    """Returns the condition on residents for an export: those of the area who live here; `own` is the area of who started it.

    Raises InvalidArgument (DATE_INVALID).
    """
    voters = voting(read_day(spec.election_day, field="export_spec.election_day")) if spec.election_day else {}
    return {**(in_area(own=own, wanted=spec.area_prefix) or {}), **HERE, **voters}
