"""Cases as svc-mediation stores them, made once: a floor that makes the same writes needs the same documents and indexes."""

from typing import Any

from mediation import operations
from mediation.domain import Case, TaskPlan, TaskRole
from mediation.store import CaseDocument
from svckit.access import Caller
from svckit.documents import Form, utc_now
from svckit.ids import new_id
from svckit.schema import ensure_schema
from tests.load.asked import DEPARTMENTS, a_report

_form = Form(Case, id_field="case_id")
_dispatcher = Caller(
    subject="dispatcher", name="", roles=frozenset({"DISPATCHER"}), area="4205", department="", purposes=frozenset(), purpose=""
)


def ensure_indexes(mongo_uri: str, database: str) -> None:
    """Creates the indexes of svc-mediation's cases."""
    ensure_schema(uri=mongo_uri, database=database, documents=[CaseDocument])


def reported() -> dict[str, Any]:
    """The fields of a reported case, without what differs from case to case (`own`)."""
    return {name: value for name, value in _form.changed(None, _reported()).items() if name != "number"}


def dispatched() -> dict[str, Any]:
    """What the dispatch to five departments changes of it."""
    case, now = _reported(), utc_now()
    plans = [
        TaskPlan(department=code, role=TaskRole.JOINT if number else TaskRole.LEAD) for number, code in enumerate(DEPARTMENTS)
    ]
    changed, _ = operations.dispatch(case, by=_dispatcher, at=now, now=now, new_id=new_id, plans=plans)
    return _form.changed(case, changed)


def own(case_id: str) -> dict[str, Any]:
    """What differs from case to case and must not be there twice."""
    return {"_id": case_id, "number": case_id, "revision": 1, "created_by": {"key": case_id, "digest": case_id}}


def _reported() -> Case:
    now, asked = utc_now(), a_report()
    case, _ = operations.report_case(
        case_id="",
        number="",
        category=asked.category,
        description=asked.description,
        area_code=asked.area_code,
        address=asked.address,
        by=_dispatcher,
        at=now,
        now=now,
    )
    return case
