"""`linkage`: precision and recall of the probabilistic stage on public files whose truth is known (FEBRL 1 and 3, fake_1000).

LINKAGE_DATA=FOLDER says where the files lie.
"""

from __future__ import annotations

import os
from pathlib import Path

from population.crosscheck.evaluate import SAMPLES, Score, evaluate
from tests.load.harness import Row
from tests.load.population.register import Register

FOLDER = Path(os.environ.get("LINKAGE_DATA") or Path(__file__).parents[4] / "shared/data/record_linkage")
TARGETS = {"febrl1.csv": (0.99, 0.98), "febrl3.csv": (0.97, 0.93)}
"""Precision and recall to reach; other files are measured for information."""


def run(_here: Register) -> list[Row]:
    """Two rows a file. The register is not asked: it is the engine of its cross-checks that is measured."""
    return [row for sample in SAMPLES for row in _rows(sample.file, evaluate(sample, folder=FOLDER))]


def _rows(file: str, score: Score) -> list[Row]:
    precision, recall = TARGETS.get(file, (None, None))
    name = file.removesuffix(".csv")
    return [
        _row(f"linkage/{name}/precision", score.precision, precision, f"{score.right} of {score.found} pairs are right"),
        _row(f"linkage/{name}/recall", score.recall, recall, f"{score.right} of {score.true} pairs found"),
    ]


def _row(name: str, value: float, target: float | None, note: str) -> Row:
    return Row(name, round(value, 4), "share", None, None, target, target is None or value >= target, note)
