"""Seeded accounts of a local stack, and the entry they use; the gateway makes them when BINGLIAN_DEMO_USERS=1 (see gateway/README.md)."""

import math
import os

from deploy.client import Session
from deploy.local.layout import Layout

PASSWORD = os.environ.get("BINGLIAN_DEMO_PASSWORD", "Binglian-demo-2026")


def edge_url() -> str:
    """The public entry of the suite: BINGLIAN_EDGE, or that of the stack on this machine (BINGLIAN_PORT_…)."""
    return os.environ.get("BINGLIAN_EDGE") or Layout.from_env().edge_url


def user_session(username: str) -> Session:
    """A seeded person."""
    return Session.user(username, PASSWORD, edge=edge_url())


def department_session(code: str) -> Session:
    """A seeded department system, for instance FIRE. It tries as long as it takes: nobody else answers its tasks."""
    return Session.system(f"dept-{code.lower().replace('_', '-')}", PASSWORD, edge=edge_url(), patience=math.inf)
