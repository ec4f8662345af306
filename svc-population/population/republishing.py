"""What svc-population tells anew for those who follow it: planned visits (`python -m population republish`).

Nothing else of ours is kept by others: the replica reads the documents, how people live is told by `python -m housing republish`.
"""

from __future__ import annotations

from datetime import datetime

from population.domain.care import VisitMade, VisitPlan, VisitPlanned, VisitPlanState
from population.operations.care import visit_made, visit_planned
from population.policies.care import VISITS_KEPT
from svckit.republish import Kind


def visits(plan: VisitPlan, now: datetime) -> tuple[VisitPlanned | VisitMade, ...]:
    """The present period of a plan and the visits that were made in it; of periods before, a plan keeps only how many were kept."""
    if plan.state is not VisitPlanState.ACTIVE:
        return ()
    made = [visit for visit in plan.visits if visit.at >= plan.period_start]
    if len(made) >= VISITS_KEPT:
        # The first of the period may be gone, and with it which one counts.
        made = []
    told = [visit_made(plan, visit, first=at == 0) for at, visit in enumerate(made)]
    return (visit_planned(plan), *told)


KINDS = (
    Kind(
        "visits",
        collection="visit_plans",
        state_cls=VisitPlan,
        id_field="plan_id",
        facts=visits,
        help="the present period of every visit plan and the visits made in it (svc-assessment: visits by area and person)",
    ),
)
