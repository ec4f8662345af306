"""The gRPC services of housing: translate, call one operation, translate back."""

from housing.rpc.areas import AreaServicer, LocationServicer
from housing.rpc.checks import HouseCheckServicer
from housing.rpc.houses import BuildingServicer, HouseServicer

__all__ = ["AreaServicer", "BuildingServicer", "HouseCheckServicer", "HouseServicer", "LocationServicer"]
