"""Fixtures of all tests; those that give real servers come from svckit.testing."""

import signal

from hypothesis import settings

pytest_plugins = ["svckit.testing", "tests.suite"]

# A deadline per example measures how busy the machine is, not whether the code is right.
settings.register_profile("binglian", deadline=None)
settings.load_profile("binglian")

# A shell that starts the tests in the background makes them, and every program they start, deaf to Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
