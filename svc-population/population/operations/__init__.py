"""The verbs of population. Pure: what is, who acts and when come in; what will be and the facts it leaves go out."""

from population.operations.households import create_household
from population.operations.orders import cancel_order, complete_order, open_order, relocate_order, return_order
from population.operations.residences import end_residence, start_residence
from population.operations.residents import create_resident, update_resident

__all__ = [
    "cancel_order",
    "complete_order",
    "create_household",
    "create_resident",
    "end_residence",
    "open_order",
    "relocate_order",
    "return_order",
    "start_residence",
    "update_resident",
]
