"""One stack for all integration tests of svc-mediation: two api processes on one database."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from tests.integration.mediation.stack import Stack, running_housing
from tests.issuer import running_issuer


@pytest.fixture(scope="session")
def stack(mongo_uri: str, amqp_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The running api processes; workers start where a test asks for them."""
    database = f"t{uuid.uuid4().hex[:10]}"
    with running_issuer() as issuer, running_housing() as housing, contextlib.ExitStack() as processes:
        made = Stack(
            home=tmp_path_factory.mktemp("mediation"),
            mongo_uri=mongo_uri,
            amqp_uri=amqp_uri,
            database=database,
            issuer=issuer,
            housing=housing,
            processes=processes,
        )
        made.start_api()
        made.start_api()
        yield made
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        client.drop_database(database)


@pytest.fixture
def documents(stack: Stack) -> Iterator[Any]:
    """The collection of cases, as it is in the database."""
    with MongoClient[dict[str, Any]](stack.mongo_uri, tz_aware=True) as client:
        yield client[stack.database]["cases"]
