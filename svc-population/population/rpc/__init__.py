"""The gRPC services of population: translate, call one operation, translate back."""

from population.rpc.households import HouseholdServicer
from population.rpc.orders import VerificationServicer
from population.rpc.residents import ResidentServicer

__all__ = ["HouseholdServicer", "ResidentServicer", "VerificationServicer"]
