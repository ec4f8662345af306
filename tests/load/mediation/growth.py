"""`growth`: whole cases a second where 1,000,000 cases are stored, against where 10,000 are."""

from svckit.testing import running_rabbit
from tests.load.harness import Row, compare, progress
from tests.load.mediation import stored
from tests.load.mediation.playing import Office, whole_cases_per_second
from tests.load.stack import Stack

LARGE, SMALL = 1_000_000, 10_000
SHARE_IN_HAND = 10
"""One case in so many is open."""
DEPARTMENTS = ("FIRE", "HOUSING", "UMD")
CASES, IN_FLIGHT = 300, 32
GIGABYTES = 2
"""Memory of the database, a fraction of what a million cases take."""


def run(stack: Stack) -> Row:
    """Measures both sizes in turn: databases of one server, each with processes and a broker of its own."""
    stored.give_memory(stack.mongo_uri, GIGABYTES)
    addresses = {size: _grown(stack, size) for size in (SMALL, LARGE)}
    office = Office(stack, DEPARTMENTS)

    def played(size: int) -> float:
        rate = whole_cases_per_second(office, addresses[size], areas=stored.GRIDS[::7], cases=CASES, in_flight=IN_FLIGHT)
        stack.settle(database=_database(size))
        return rate

    for size in addresses:
        progress(f"growth: {played(size):.1f} whole cases/s to warm up with {size:,} stored")
    return compare(
        "growth",
        ours=lambda: played(LARGE),
        floor=lambda: played(SMALL),
        unit="cases/s",
        target=0.77,
        note=f"whole cases, {LARGE:,} stored against {SMALL:,}",
    )


def _grown(stack: Stack, size: int) -> str:
    """Fills a database and serves it; returns the address."""
    progress(f"growth: storing {size:,} cases")
    stored.put(stack.mongo_uri, history=size - size // SHARE_IN_HAND, in_hand=size // SHARE_IN_HAND, database=_database(size))
    broker = stack.processes.enter_context(running_rabbit(stack.home / f"rabbit-{size}"))
    settings = {"BINGLIAN_MONGO_DATABASE": _database(size), "BINGLIAN_AMQP_URI": broker.uri}
    return stack.service("mediation", called=f"mediation-{size}", **settings)


def _database(size: int) -> str:
    return f"stored_{size}"
