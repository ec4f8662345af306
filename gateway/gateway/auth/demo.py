"""The made-up people and department systems of a local stack (BINGLIAN_DEMO_USERS=1); gateway/README.md lists them."""

from __future__ import annotations

import csv
import importlib.resources

from gateway.auth.accounts import Account

_DATA = importlib.resources.files("gateway.auth") / "data"
_CITY = "4205"
_SYSTEM_PURPOSES = ("P01", "P04", "P05", "P06", "P10", "P11")


def demo_accounts() -> list[Account]:
    """Returns the people of demo_people.csv and one system per department: `dept-fire`, `dept-util-water`."""
    return [*(_person(row) for row in _rows("demo_people.csv")), *(_system(row) for row in _rows("department.csv"))]


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _person(row: dict[str, str]) -> Account:
    return Account(
        username=row["username"],
        kind="person",
        name=row["name"],
        roles=tuple(row["roles"].split()),
        area=row["area"],
        department=row["department"],
        purposes=tuple(row["purposes"].split()),
    )


def _system(row: dict[str, str]) -> Account:
    return Account(
        username=f"dept-{row['code'].lower().replace('_', '-')}",
        kind="system",
        name=row["zh"],
        roles=("DEPT_HANDLER", "DEPT_LEAD"),
        area=_CITY,
        department=row["code"],
        purposes=_SYSTEM_PURPOSES,
    )
