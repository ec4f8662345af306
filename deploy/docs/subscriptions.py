"""Prints, as JSON, which worker method takes which events: {"svc-housing": {"follow_tasks": ["mediation.task_assigned.v1", …]}}.

A program of its own, because importing a worker patches the standard library of the whole process.
"""

from __future__ import annotations

import svckit.worker  # noqa: F401  # isort: skip - patches the standard library, so it comes first

import importlib
import inspect
import json
from typing import Any

from svckit.bus import Handler

PACKAGES = ("assessment", "fire_safety", "housing", "mediation", "population")


def subscriptions(package: str) -> dict[str, list[str]]:
    """Handlers of all workers of one service with their event types."""
    module = importlib.import_module(f"{package}.events")
    found: dict[str, list[str]] = {}
    for _, worker in inspect.getmembers(module, inspect.isclass):
        for name, method in inspect.getmembers(worker, inspect.isfunction):
            for entrypoint in _entrypoints(method):
                found[name] = list(entrypoint.types)
    return found


def _entrypoints(method: Any) -> list[Handler]:
    return [entry for entry in getattr(method, "nameko_entrypoints", ()) if isinstance(entry, Handler)]


if __name__ == "__main__":
    print(json.dumps({f"svc-{package.replace('_', '-')}": subscriptions(package) for package in PACKAGES}))
