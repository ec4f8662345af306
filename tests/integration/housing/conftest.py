"""svc-housing as its users see it: one running service for all tests of this folder, with the areas of a small district."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.housing.district import District
from tests.services import running_service


@pytest.fixture(scope="session")
def district(mongo_uri: str, amqp_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """A running service with a city, a district, a street, a community and four grids."""
    logs = tmp_path_factory.mktemp("housing")
    with running_service("housing", mongo_uri=mongo_uri, amqp_uri=amqp_uri, logs=logs) as service:
        made = District(service)
        made.draw()
        yield made
