"""svc-population as its users see it: one running service for all tests of this folder."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest

from tests.integration.population.people import People
from tests.services import running_service


@pytest.fixture(scope="session")
def people(mongo_uri: str, amqp_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    """A running service with a field key of its own."""
    logs = tmp_path_factory.mktemp("population")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BINGLIAN_FIELD_KEY", base64.b64encode(os.urandom(32)).decode())
        with running_service("population", mongo_uri=mongo_uri, amqp_uri=amqp_uri, logs=logs) as service:
            yield People(service, log=logs / "api.log")
