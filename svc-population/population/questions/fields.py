"""What may be asked about people: the fields of filters, their types, and where they lie in documents and in columns.

Nothing that names a person is here (name, identity number, telephone), nor anything restricted_category.csv excludes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from population.domain.residence import Tenure


class Kind(StrEnum):
    """Type of a field: decides which comparisons and values it allows."""

    CODE = "code"  # a code of a table; equality
    NUMBER = "number"  # whole number; order
    DAY = "day"  # YYYY-MM-DD; order
    AGE = "age"  # completed years today, computed from the birth date; order
    FLAG = "flag"  # true, false; equality
    AREA = "area"  # area code; `:` asks for everything inside
    SEALED = "sealed"  # a code that is stored encrypted with a blind index; equality


class Place(StrEnum):
    """Where the value of a field lies in documents."""

    STORED = "stored"  # under its path
    HOME = "home"  # in the present home; of several the one they came to last
    HOUSEHOLD = "household"  # nowhere: it is the count of those who live here and are of one household


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """`path` in documents of `residents`, `column` in the replica's `people`; `table` the code table of its values.

    `values`: the values of a code that has no table of its own. `place` HOME: `path` is the field of a residence; HOUSEHOLD: the one that
    tells of which household somebody is.
    `purposes`: those of purpose_code.csv that allow the field, when it needs one that covers L3; empty: any.
    """

    name: str
    kind: Kind
    path: str
    column: str
    meaning: str
    table: str = ""
    values: frozenset[str] = frozenset()
    place: Place = Place.STORED
    purposes: frozenset[str] = frozenset()
    low: int = 0
    high: int = 0


# Purposes whose allowed sensitivity is L3 (purpose_code.csv) and which population serves.
SENSITIVE = frozenset({"P01", "P03", "P10", "P11", "P12"})

_ALL = (
    Field(name="age", kind=Kind.AGE, path="birth_date", column="birth", meaning="周岁", low=0, high=150),
    Field(name="birth_date", kind=Kind.DAY, path="birth_date", column="birth", meaning="出生日期"),
    Field(name="sex", kind=Kind.CODE, path="sex", column="sex", table="sex", meaning="性别"),
    Field(
        name="resident_type",
        kind=Kind.CODE,
        path="resident_type",
        column="resident_type",
        table="resident_type",
        meaning="人口类型",
    ),
    Field(
        name="household_relation",
        kind=Kind.CODE,
        path="household_relation",
        column="relation",
        table="household_relation",
        meaning="与户主关系",
    ),
    Field(
        name="match_flag",
        kind=Kind.CODE,
        path="match_flag",
        column="match_flag",
        table="household_match_flag",
        meaning="人户一致标识",
    ),
    Field(name="area", kind=Kind.AREA, path="area_code", column="area", meaning="区划"),
    Field(name="floor", kind=Kind.NUMBER, path="living.floor", column="floor", meaning="居住楼层", low=-9, high=200),
    Field(name="lift", kind=Kind.FLAG, path="living.lift", column="lift", meaning="有电梯"),
    Field(name="lives_alone", kind=Kind.FLAG, path="living.alone", column="alone", meaning="独居"),
    Field(
        name="tenure",
        kind=Kind.CODE,
        path="tenure",
        column="tenure",
        table="tenure",
        values=frozenset(Tenure),
        place=Place.HOME,
        meaning="居住方式",
    ),
    Field(
        name="household_size",
        kind=Kind.NUMBER,
        path="household_id",
        column="household_size",
        place=Place.HOUSEHOLD,
        meaning="家庭户人数",
        low=1,
        high=9999,
    ),
    Field(
        name="affiliation",
        kind=Kind.SEALED,
        path="affiliation.index",
        column="affiliation",
        table="affiliation",
        purposes=SENSITIVE,
        meaning="本人申报的组织关系",
    ),
)

FIELDS: Mapping[str, Field] = {field.name: field for field in _ALL}
"""By the name people write."""
