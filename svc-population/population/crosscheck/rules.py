"""What may be compared with what: the rules of match_rule.csv, and nothing else. There is no way to configure another one.

A rule says which fields a mapping may name, how they are compared, what the report shows and for which purposes it may run. So no job
can be made that compares people with lists that must not exist (restricted_category.csv), and no report carries more than its rule.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from population.crosscheck.columns import ColumnType
from population.domain.job import CrossCheckSpec
from svckit.errors import InvalidArgument, PermissionDenied


class Side(StrEnum):
    """Where the records of one side come from."""

    FILE = "file"
    REGISTER = "register"
    RESIDENCES = "residences"


class Result(StrEnum):
    """What became of a record."""

    MATCHED = "matched"
    DIFFERING = "differing"
    POSSIBLE = "possible"
    LEFT_ONLY = "left_only"
    RIGHT_ONLY = "right_only"


PERSON: Mapping[str, ColumnType] = {
    "id_number": ColumnType.SEALED,
    "name": ColumnType.NAME,
    "sex": ColumnType.CODE,
    "birth_date": ColumnType.DATE,
    "phone": ColumnType.SEALED,
    "area_code": ColumnType.CODE,
}
"""What is compared of people. `reference` (the department's own number of the record) goes along and is compared with nothing."""
UNIT: Mapping[str, ColumnType] = {
    "uscc": ColumnType.IDENTIFIER,
    "unit_name": ColumnType.NAME,
    "address": ColumnType.PLACE,
    "status": ColumnType.CODE,
}
HOUSE: Mapping[str, ColumnType] = {"house_id": ColumnType.CODE, "capacity": ColumnType.CODE}
"""`capacity`: for how many people a house is meant, as the department says; it differs where more are registered as living there."""
REFERENCE = "reference"
_REPORT = ("result", "left_reference", "right_reference", "differing_fields", "match_probability")
_SHAPES: dict[str, dict[str, object]] = {
    "MR01": {"right": Side.REGISTER, "purposes": ("P02", "P11"), "orders": True},
    "MR02": {"right": Side.REGISTER, "purposes": ("P11",)},
    "MR03": {
        "right": Side.FILE,
        "purposes": ("P11",),
        "output": ("result", "left_reference", "right_reference", "match_probability"),
    },
    "MR04": {"right": Side.REGISTER, "purposes": ("P09",), "differing": ("area_code",), "voters": True},
    "MR05": {
        "right": Side.RESIDENCES,
        "purposes": ("P02", "P11"),
        "key": "house_id",
        "fields": HOUSE,
        "linked": (),
        "differing": ("capacity",),
        "output": ("result", "left_reference", "right_reference", "differing_fields"),
    },
    "MR06": {
        "right": Side.FILE,
        "purposes": ("P11",),
        "key": "uscc",
        "fields": UNIT,
        "linked": ("uscc", "unit_name", "address"),
        "differing": ("unit_name", "address", "status"),
    },
    "MR07": {
        "left": Side.REGISTER,
        "right": Side.REGISTER,
        "purposes": ("P02", "P11"),
        "linked": ("name", "birth_date", "phone", "sex"),
    },
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule: texts of match_rule.csv, and what they mean for the machine."""

    code: str
    zh: str
    left_source: str
    right_source: str
    keys: str
    result_use: str
    prohibited_use: str
    verify_step: str
    purposes: tuple[str, ...]
    left: Side = Side.FILE
    right: Side = Side.REGISTER
    key: str = "id_number"
    fields: Mapping[str, ColumnType] = msgspec.field(default_factory=lambda: PERSON)
    linked: tuple[str, ...] = ("name", "birth_date", "phone", "sex", "area_code")
    differing: tuple[str, ...] = ("name", "sex", "birth_date", "phone", "area_code")
    output: tuple[str, ...] = _REPORT
    orders: bool = False
    voters: bool = False
    """Only those of the register who may vote on election day are held against the file."""

    @property
    def finds_duplicates(self) -> bool:
        """Tells whether the register is held against itself."""
        return self.left is Side.REGISTER

    @property
    def registered(self) -> tuple[tuple[str, str], ...]:
        """Columns of `decided` that stand for people of the register, each with the table they are in."""
        if self.finds_duplicates:
            return (("a_record", "a"), ("b_record", "a"))
        return (("b_record", "b"),) if self.right is Side.REGISTER else ()

    @property
    def mappable(self) -> tuple[str, ...]:
        """Fields a mapping may name."""
        return (REFERENCE, *self.fields)


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Returns the rules by code."""
    text = importlib.resources.files("population").joinpath("codes", "match_rule.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    texts = ("code", "zh", "left_source", "right_source", "keys", "result_use", "prohibited_use", "verify_step")
    return {row["code"]: Rule(**{name: row[name] for name in texts}, **_SHAPES[row["code"]]) for row in rows}  # type: ignore[arg-type]


def rule_of(spec: CrossCheckSpec) -> Rule:
    """Returns the rule of a job. Raises InvalidArgument (RULE_UNKNOWN)."""
    rule = rules().get(spec.rule)
    if rule is None:
        raise InvalidArgument(
            f"There is no rule {spec.rule}; there are {', '.join(rules())}.",
            reason="RULE_UNKNOWN",
            field="cross_check_spec.rule",
        )
    return rule


def check_purpose(rule: Rule, *, purpose: str) -> None:
    """Raises PermissionDenied (PURPOSE_NOT_ALLOWED) for a purpose the rule is not meant for."""
    if purpose not in rule.purposes:
        raise PermissionDenied(
            f"{rule.zh} ({rule.code}) is allowed for {', '.join(rule.purposes)}.",
            reason="PURPOSE_NOT_ALLOWED",
            metadata={"purposes": ",".join(rule.purposes)},
        )


def check_orders(rule: Rule, spec: CrossCheckSpec) -> None:
    """Raises InvalidArgument (NO_ORDERS): only where the rule says that somebody of the grid goes and looks."""
    if spec.orders and not rule.orders:
        raise InvalidArgument(
            f"{rule.zh} is verified otherwise: {rule.verify_step}.", reason="NO_ORDERS", field="cross_check_spec.orders"
        )
