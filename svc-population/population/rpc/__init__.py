"""The gRPC services of population: translate, call one operation, translate back."""

from population.rpc.households import HouseholdServicer
from population.rpc.merges import MergeServicer
from population.rpc.orders import VerificationServicer
from population.rpc.register import RegisterServicer
from population.rpc.residents import ResidentServicer

__all__ = ["HouseholdServicer", "MergeServicer", "RegisterServicer", "ResidentServicer", "VerificationServicer"]
