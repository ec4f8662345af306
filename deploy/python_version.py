"""Says in one sentence what to do when the Python that `make` found is too old. Runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(
        "setup: Binglian needs Python 3.11 or newer and found %s; install it and run `make setup PYTHON=python3.11`" % found
    )
