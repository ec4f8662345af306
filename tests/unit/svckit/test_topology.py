"""Names on the broker are contracts: changing one strands messages."""

from svckit.topology import DELIVERIES, Topology


def test_names() -> None:
    topology = Topology("mediation")
    assert [one["exchange"] for one in topology.exchanges()] == ["binglian", "binglian.dead"]
    assert topology.relay()["queue"] == "mediation.relay"
    assert topology.relay()["arguments"]["x-single-active-consumer"] is True
    assert topology.dead.name == "mediation.dead"
    assert (topology.dead.exchange, topology.dead.keys) == ("binglian.dead", ("mediation.dead",))


def test_handlers_have_quorum_queues_that_end_in_the_dead_letter_queue() -> None:
    queue = Topology("housing").handler("check", ["mediation.case_dispatched.v1"])
    assert queue.name == "housing.check"
    assert queue.exchange == "binglian"
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-dead-letter-exchange"] == "binglian.dead"
    assert queue.arguments["x-dead-letter-routing-key"] == "housing.dead"
    assert queue.arguments["x-delivery-limit"] > DELIVERIES
