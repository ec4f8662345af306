"""`python -m deploy.tracestore --port 4318 --data .binglian/traces`."""

from __future__ import annotations

import argparse
import functools
import logging
import os
from pathlib import Path

import uvicorn

from deploy.tracestore.app import TraceStore
from deploy.tracestore.store import Retention, Store

MEGABYTE = 1024 * 1024


def arguments() -> argparse.Namespace:
    """Reads the command line; the environment gives the defaults of port and folder."""
    port = int(os.environ.get("BINGLIAN_TRACES_PORT") or 4318)
    home = Path(os.environ.get("BINGLIAN_TRACES_HOME") or ".binglian/traces")
    parser = argparse.ArgumentParser(prog="tracestore", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=port, help="port to listen on")
    parser.add_argument("--data", type=Path, default=home, help="folder of the database")
    parser.add_argument("--keep-hours", type=float, default=24, help="how long traces are kept")
    parser.add_argument("--keep-megabytes", type=int, default=512, help="how large the database may grow")
    return parser.parse_args()


def main() -> None:
    """Serves until it is told to stop."""
    options = arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    retention = Retention(seconds=int(options.keep_hours * 3600), size=options.keep_megabytes * MEGABYTE)
    app = TraceStore(functools.partial(Store, options.data / "traces.sqlite", retention=retention))
    # Access logs would be the busiest log of the suite.
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning", access_log=False, lifespan="on")


if __name__ == "__main__":
    main()
