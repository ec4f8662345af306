"""The batch entrypoint in a real worker process: nothing lost, nothing counted twice, never a stall."""

import random
import time
from collections.abc import Iterator

import pytest
from pika.exceptions import ChannelClosedByBroker

from svckit.cloudevents import ID
from svckit.deadletter import dead_letters, main
from svckit.ids import new_id
from svckit.topology import declare
from tests.integration.svckit.proxy import Proxy
from tests.integration.svckit.tallies import Scene, wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def scene(mongo_uri, amqp_uri, namespace, exchange_name) -> Iterator[Scene]:
    made = Scene(mongo_uri=mongo_uri, amqp_uri=amqp_uri, database=f"{namespace}_{new_id()[-6:]}", exchange=exchange_name)
    yield made
    made.client.drop_database(made.database)
    made.close()


def reasons(scene: Scene) -> dict[str, str]:
    """Reasons of all dead letters by event id; they stay where they are."""
    channel = scene.connection.channel()
    found = {letter.attribute(ID): letter.reason for letter in dead_letters(channel, topology=scene.topology)}
    channel.close()
    return found


def test_a_batch_is_handled_in_order_and_acknowledged(scene: Scene) -> None:
    for number in range(500):
        scene.tell(f"t{number % 3}", number)
    with scene.worker() as worker:
        wait_until(lambda: sum(map(len, scene.numbers().values())) == 500)
        assert worker.healthy()
        assert worker.terminate() == 0
    assert scene.numbers() == {f"t{at}": list(range(at, 500, 3)) for at in range(3)}
    assert scene.waiting() == 0


def test_a_repeated_message_changes_nothing(scene: Scene) -> None:
    same = new_id()
    with scene.worker():
        for _ in range(5):
            scene.tell("t", 1, id=same)
            time.sleep(0.05)
        scene.tell("t", 2)
        wait_until(lambda: scene.numbers() == {"t": [1, 2]})
    assert scene.waiting() == 0


def test_poison_isolates_itself_and_says_why(scene: Scene) -> None:
    poison = {
        scene.tell("t", 1, body=b"{no json"): "JSONDecodeError: ",
        scene.tell("t", 2, mood="hopeless"): "Unprocessable: nobody can do this",
        scene.tell("t", 3, mood="refused"): "NOT_NOW: Not in this state.",
    }
    good = [scene.tell("t", number) for number in range(10, 60)]
    stumbling = scene.tell("t", 99, mood="stumbles")
    with scene.worker():
        wait_until(lambda: len(scene.numbers().get("t", ())) == 51)
        wait_until(lambda: scene.waiting(scene.topology.dead.name) == 3)
    assert sorted(scene.numbers()["t"]) == [*range(10, 60), 99]
    found = reasons(scene)
    assert found.keys() == poison.keys()
    assert all(found[id].startswith(reason) for id, reason in poison.items())
    assert not {*good, stumbling} & found.keys()
    assert scene.waiting() == 0


def test_a_dead_letter_that_finds_no_queue_is_kept_where_it_is(scene: Scene) -> None:
    channel, dead = scene.connection.channel(), scene.topology.dead
    with scene.worker():
        scene.tell("t", 1)
        wait_until(lambda: scene.numbers() == {"t": [1]})
        channel.queue_unbind(dead.name, dead.exchange, dead.name)
        poison = scene.tell("t", 2, mood="hopeless")
        time.sleep(1)
        channel.queue_bind(dead.name, dead.exchange, dead.name)
        wait_until(lambda: scene.waiting(dead.name) == 1)
    assert list(reasons(scene)) == [poison]


def test_what_the_broker_itself_gives_up_is_found_too(scene: Scene) -> None:
    scene.tell("t", 1)
    channel = scene.connection.channel()
    method, _, _ = next(channel.consume(scene.queue.name))
    channel.basic_reject(method.delivery_tag, requeue=False)
    wait_until(lambda: scene.waiting(scene.topology.dead.name) == 1)
    assert list(reasons(scene).values()) == ["broker: rejected"]
    channel.close()


def test_one_command_lists_and_one_replays(scene: Scene, capsys) -> None:
    refused = scene.tell("t", 7, mood="hopeless")
    arguments = ["--service", scene.service, "--amqp-uri", scene.amqp_uri, "--exchange", scene.topology.exchange]
    with scene.worker():
        wait_until(lambda: scene.waiting(scene.topology.dead.name) == 1)
    assert main(["list", *arguments]) == 0
    shown = capsys.readouterr().out
    assert refused in shown
    assert "Unprocessable: nobody can do this" in shown
    wait_until(lambda: scene.waiting(scene.topology.dead.name) == 1)
    assert main(["replay", *arguments, "--id", "another"]) == 0
    assert "0 messages" in capsys.readouterr().out
    wait_until(lambda: scene.waiting(scene.topology.dead.name) == 1)
    assert main(["replay", *arguments]) == 0
    assert "1 messages replayed" in capsys.readouterr().out
    assert scene.waiting(scene.topology.dead.name) == 0
    method, properties, _ = scene.channel.basic_get(scene.queue.name)
    assert not {"x-reason", "x-queue", "x-death"} & properties.headers.keys()
    scene.channel.basic_ack(method.delivery_tag)


def test_while_the_database_is_away_messages_wait_and_none_is_condemned(scene: Scene) -> None:
    proxy = Proxy(scene.mongo_uri)
    direct = proxy.uri.partition("?")[0] + "?directConnection=true"
    try:
        with scene.worker(mongo_uri=direct) as worker:
            scene.tell("t", 0)
            wait_until(lambda: scene.numbers() == {"t": [0]})
            proxy.away = True
            proxy.cut()
            for number in range(1, 20):
                scene.tell("t", number)
            time.sleep(6)
            assert worker.healthy()
            proxy.away = False
            wait_until(lambda: len(scene.numbers()["t"]) == 20)
        assert reasons(scene) == {}
    finally:
        proxy.close()


def test_a_worker_waits_for_its_servers(scene: Scene) -> None:
    mongo, rabbit = Proxy(scene.mongo_uri), Proxy(scene.amqp_uri)
    mongo.away = rabbit.away = True
    try:
        with scene.worker(mongo_uri=mongo.uri.partition("?")[0] + "?directConnection=true", amqp_uri=rabbit.uri) as worker:
            scene.tell("t", 1)
            time.sleep(2)
            assert not worker.healthy()
            mongo.away = False
            time.sleep(1)
            rabbit.away = False
            wait_until(lambda: scene.numbers() == {"t": [1]})
            assert worker.healthy()
            assert worker.terminate() == 0
    finally:
        mongo.close()
        rabbit.close()


def test_the_queue_of_a_handler_that_is_no_more_goes(scene: Scene) -> None:
    retired = scene.topology.handler("tell", scene.queue.keys)
    declare(scene.channel, scene.topology, [retired])
    scene.tell("t", 1)
    with scene.worker():
        wait_until(lambda: scene.numbers() == {"t": [1]})
        with pytest.raises(ChannelClosedByBroker, match="no queue"):
            scene.connection.channel().queue_declare(retired.name, passive=True)


def test_a_stop_finishes_the_batch_in_hand(scene: Scene) -> None:
    with scene.worker() as worker:
        wait_until(worker.healthy)
        scene.tell("t", 1, mood="slow", seconds=2)
        time.sleep(0.5)
        scene.tell("t", 2)
        time.sleep(0.3)
        assert worker.terminate() == 0
    assert scene.numbers() == {"t": [1]}
    wait_until(lambda: scene.waiting() == 1)


@pytest.mark.slow
def test_soak(scene: Scene) -> None:
    """Bursts, duplicates, poison, slow handlers, broken connections and a killed worker, all at once."""
    chance = random.Random(20261122)
    rabbit = Proxy(scene.amqp_uri)
    expected: dict[str, set[int]] = {}
    poison: set[str] = set()
    number = 0
    try:
        with scene.worker(amqp_uri=rabbit.uri) as first, scene.worker(amqp_uri=rabbit.uri) as second:
            wait_until(second.healthy)
            for turn in range(40):
                for _ in range(chance.choice((0, 1, 5, 50, 250))):
                    number += 1
                    subject = f"t{chance.randrange(40)}"
                    mood = chance.choices(("", "slow", "stumbles", "hopeless", "refused", "junk"), (400, 2, 2, 1, 1, 1))[0]
                    body = b"\xff{" if mood == "junk" else None
                    id = scene.tell(subject, number, body=body, mood=mood, seconds=0.1)
                    if chance.random() < 0.1:
                        scene.tell(subject, number, id=id, body=body, mood=mood, seconds=0.1)
                    if mood in ("hopeless", "refused", "junk"):
                        poison.add(id)
                    else:
                        expected.setdefault(subject, set()).add(number)
                if turn in (8, 16, 24, 30):
                    rabbit.cut()
                if turn == 20:
                    first.process.kill()
                time.sleep(chance.random() * 0.2)
            wait_until(lambda: {key: set(got) for key, got in scene.numbers().items()} == expected, seconds=60)
            wait_until(lambda: reasons(scene).keys() == poison, seconds=60)
            wait_until(lambda: scene.waiting() == 0)
            assert second.healthy()
            assert second.terminate() == 0
    finally:
        rabbit.close()
    assert all(len(got) == len(set(got)) for got in scene.numbers().values()), "something was counted twice"
    events = sum(len(document["outbox"]) for document in scene.tallies.find())
    assert events == sum(map(len, expected.values())), "an effect without its event, or an event without its effect"
