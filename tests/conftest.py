"""Fixtures of all tests; those that give real servers come from svckit.testing."""

pytest_plugins = ["svckit.testing"]
