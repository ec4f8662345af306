"""Fixtures of all tests; those that give real servers come from svckit.testing."""

from hypothesis import settings

pytest_plugins = ["svckit.testing", "tests.suite"]

# A deadline per example measures how busy the machine is, not whether the code is right.
settings.register_profile("binglian", deadline=None)
settings.load_profile("binglian")
