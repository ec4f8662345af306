"""Area `foundation`: one case from report to join, the edge, the relay and the consumer."""

from collections.abc import Callable

from tests.load.foundation import department_path, edge, fanout, inbox_latency, messaging, report_case
from tests.load.harness import Row, progress
from tests.load.stack import stack


def run(*, only: set[str]) -> list[Row]:
    """Measures the rows (all of them when `only` is empty) on one fresh stack."""

    def wanted(*names: str) -> bool:
        return not only or any(name.startswith(row) for name in names for row in only)

    rows: list[Row] = []
    with stack() as here:
        progress("starting MongoDB, RabbitMQ and svc-mediation")
        address = here.service("mediation")
        parts: list[tuple[bool, Callable[[], list[Row]]]] = [
            (wanted("report_case"), lambda: [report_case.run(here, address)]),
            (wanted("gateway_get_vs_envoy", "gateway_post_vs_envoy"), lambda: edge.run(here, address, wanted)),
            (wanted("inbox_latency"), lambda: inbox_latency.run(here, address)),
            (wanted("department_path"), lambda: [department_path.run(here, address)]),
            (
                wanted("fanout_vs_handwritten", "fanout_vs_celery", "fanout_vs_temporal"),
                lambda: fanout.run(here, address, wanted),
            ),
            (wanted("relay", "consumer"), lambda: messaging.run(here, wanted)),
        ]
        for asked, measure in parts:
            if asked:
                rows += measure()
    return rows
