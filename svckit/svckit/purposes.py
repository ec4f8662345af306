"""What a stated purpose may show: the table of purposes (codes/purpose_code.csv) names the highest sensitivity of each."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Mapping

from binglian.options.v1 import options_pb2

WITHOUT_PURPOSE: int = options_pb2.SENSITIVITY_L1
"""What everybody who may call an rpc sees of its answers, and fields of L2 that name no mask. An unknown purpose shows no more."""


@functools.cache
def shown_by() -> Mapping[str, int]:
    """Returns per purpose the highest sensitivity it shows (a value of the enum Sensitivity)."""
    levels = {"L1": options_pb2.SENSITIVITY_L1, "L2": options_pb2.SENSITIVITY_L2, "L3": options_pb2.SENSITIVITY_L3}
    return {row["code"]: levels[row["allowed_sensitivity"]] for row in purposes()}


@functools.cache
def purposes() -> tuple[dict[str, str], ...]:
    """Returns the rows of the table of purposes: code, zh, en, legal_basis, allowed_sensitivity, services, retention."""
    text = importlib.resources.files("svckit").joinpath("codes", "purpose_code.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def level_for(purpose: str) -> int:
    """Returns the highest sensitivity a caller sees who states `purpose` ("" for none)."""
    return shown_by().get(purpose, WITHOUT_PURPOSE)
