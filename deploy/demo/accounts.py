"""Seeded accounts of a local stack; the gateway makes them when BINGLIAN_DEMO_USERS=1 (see gateway/README.md)."""

import os

from deploy.client import Session

PASSWORD = os.environ.get("BINGLIAN_DEMO_PASSWORD", "Binglian-demo-2026")


def user_session(username: str) -> Session:
    """A seeded person."""
    return Session.user(username, PASSWORD)


def department_session(code: str) -> Session:
    """A seeded department system, for instance FIRE."""
    return Session.system(f"dept-{code.lower().replace('_', '-')}", PASSWORD)
