"""The private servers that every integration test stands on."""

import pika
import pytest
from pymongo import MongoClient

from svckit import embedded


def test_mongo_is_a_replica_set_of_our_own(mongo_uri: str, database_name: str) -> None:
    with MongoClient(mongo_uri) as client, client.start_session() as session, session.start_transaction():
        client[database_name].things.insert_one({"_id": 1}, session=session)
        assert client[database_name].things.count_documents({}, session=session) == 1


def test_rabbit_keeps_quorum_queues(amqp_uri: str, namespace: str) -> None:
    connection = pika.BlockingConnection(pika.URLParameters(amqp_uri))
    channel = connection.channel()
    channel.queue_declare(namespace, durable=True, arguments={"x-queue-type": "quorum"})
    channel.confirm_delivery()
    channel.basic_publish("", namespace, b"hello", mandatory=True)
    method, _, body = channel.basic_get(namespace, auto_ack=True)
    assert method is not None
    assert body == b"hello"
    connection.close()


def test_a_missing_broker_is_explained(monkeypatch) -> None:
    monkeypatch.setattr(embedded.shutil, "which", lambda name: None)
    with pytest.raises(embedded.ServerMissing, match="apt-get install rabbitmq-server"):
        embedded.rabbit_program()
