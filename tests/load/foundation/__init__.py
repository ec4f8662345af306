"""Area `foundation`: one case from report to join, the edge, the relay and the consumer."""

from collections.abc import Callable

from tests.load.foundation import department_path, edge, fanout, inbox_latency, messaging, report_case
from tests.load.harness import Row, failed, limited, progress
from tests.load.stack import Stack, stack

Measure = Callable[[], list[Row]]


def run(*, only: set[str]) -> list[Row]:
    """Measures the rows (all of them when `only` is empty) on one fresh stack; a row that fails is in the table, not the end."""

    def wanted(name: str) -> bool:
        return not only or name in only

    rows: list[Row] = []
    with stack() as here:
        progress("starting MongoDB, RabbitMQ and svc-mediation")
        address = here.service("mediation")
        for names, measure in _parts(here, address, wanted).items():
            if any(wanted(name) for name in names):
                rows += _measured(here, names, measure)
    return rows


def _parts(here: Stack, address: str, wanted: Callable[[str], bool]) -> dict[tuple[str, ...], Measure]:
    """What measures which rows, in the order of the table."""
    return {
        ("report_case",): lambda: [report_case.run(here, address)],
        ("gateway_get_vs_envoy", "gateway_post_vs_envoy"): lambda: edge.run(here, address, wanted),
        ("inbox_latency",): lambda: inbox_latency.run(here, address),
        ("department_path",): lambda: [department_path.run(here, address)],
        ("fanout_vs_handwritten", "fanout_vs_bare", "fanout_vs_celery", "fanout_vs_temporal"): lambda: fanout.run(
            here, address, wanted
        ),
        ("relay",): lambda: [messaging.relay(here)],
        ("consumer",): lambda: messaging.consumer(here),
    }


def _measured(here: Stack, names: tuple[str, ...], measure: Measure) -> list[Row]:
    try:
        with limited(minutes=5):
            return measure()
    except Exception as error:
        progress(f"{names[0]} FAILED: {type(error).__name__}: {error}\n{here.complaints()}")
        return [failed(name, error) for name in names]
