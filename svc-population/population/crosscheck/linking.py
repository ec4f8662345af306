"""The probabilistic stage: Fellegi-Sunter with Splink, on DuckDB here or on Spark, with one and the same model.

The model (settings with trained weights) is plain JSON of no dialect but the SQL Splink writes for its backend; `creator_of` makes it
for either. It is trained without labels: u from random pairs, m by expectation maximisation on pairs that agree on a key. Where few
true pairs are there to learn from, that learns from strangers, who happen to agree on the key; so what is learned counts as much as
there are true pairs, and never against what is known of all people: who is the same mostly writes the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import msgspec
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink.internals.comparison_creator import ComparisonCreator
from splink.internals.exceptions import SplinkException

from population.crosscheck.blocking import Key, Tables, agreed_on, all_pairs, prediction_keys, training_keys
from population.crosscheck.columns import Columns, ColumnType, comparison_of

_log = logging.getLogger(__name__)
SEED = 20_260_101
"""Of the random pairs: a job that is repeated finds the same."""
RANDOM_PAIRS = 1e6
ASSUMED_RECALL = 0.7
"""Share of the true pairs that agree on a strict key, before anything is known (Splink's tutorials use 0.6 to 0.8)."""
CERTAIN = 0.95
"""Probability from which two records are held to be one person."""
POSSIBLE = 0.5
"""From here on a person is asked."""
MOST_TRUE = 0.5
"""Largest share of true pairs: where all are alike, that they are one person is not known either."""
LEAST = 0.001
"""Smallest m: among a thousand true pairs one may look like this, even if the sample had none."""
KNOWN = 0.9
"""m of equal values before anything is learned: nine of ten true pairs write a value in the same way."""
KNOWN_PAIRS = 20
"""What is known before counts as much as this many true pairs."""
EQUAL_AT_LEAST = 0.5
"""Smallest m of equal values, whatever was learned: a column that true pairs mostly write differently is none."""
ID = "record"

Stage = Callable[[str], None]
Score = Callable[[duckdb.DuckDBPyConnection, Tables, "Model", "Weights", float], str]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare and which pairs: enough to make the settings for any backend."""

    columns: dict[str, ColumnType]
    keys: tuple[Key, ...]
    training: tuple[Key, ...]
    strict: tuple[tuple[str, ...], ...]
    """Columns hardly any two agree on by chance: how many do tells how many true pairs there are."""
    one_table: bool
    pairs: int
    """How many pairs of records there are at all."""


def plan(*, connection: duckdb.DuckDBPyConnection, tables: Tables, columns: Columns) -> Model:
    """Chooses keys by counting pairs; columns without two different values say nothing and are left out."""
    telling = {name: kind for name, kind in columns.items() if _tells(connection, tables, name)}
    keys = prediction_keys(connection=connection, tables=tables, columns=telling)
    strict = agreed_on(connection=connection, tables=tables, keys=strict_keys(telling, keys=keys))
    return Model(
        columns=telling,
        keys=tuple(keys),
        training=tuple(training_keys(keys, columns=telling)),
        strict=strict,
        one_table=tables.is_one,
        pairs=all_pairs(connection=connection, tables=tables),
    )


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """What was learned: the share of true pairs among random ones, and (m, u) of every level of a column, the best level first."""

    prior: float
    levels: dict[str, tuple[tuple[float, float], ...]]


def creator_of(model: Model, weights: Weights | None = None) -> SettingsCreator:
    """Returns the settings, untrained or with weights; Splink writes them in the SQL of its backend, so they fit any."""
    return SettingsCreator(
        link_type="dedupe_only" if model.one_table else "link_only",
        unique_id_column_name=ID,
        comparisons=[_weighted(name, kind, weights) for name, kind in model.columns.items()],
        blocking_rules_to_generate_predictions=[block_on(*key.columns) for key in model.keys],
        probability_two_random_records_match=weights.prior if weights else one_of_all(model),
        retain_matching_columns=False,
        em_convergence=0.001,
        max_iterations=15,
        linker_uid="crosscheck",
    )


def _weighted(name: str, kind: ColumnType, weights: Weights | None) -> ComparisonCreator:
    comparison = comparison_of(name, kind)
    if weights is None:
        return comparison
    learned_here = weights.levels[name]
    return comparison.configure(m_probabilities=[m for m, _ in learned_here], u_probabilities=[u for _, u in learned_here])


def link(
    *,
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    model: Model,
    at_least: float = POSSIBLE,
    stage: Stage = lambda _: None,
    score: Score | None = None,
) -> str:
    """Trains, scores and returns the name of a table (record_l, record_r, match_probability) of pairs from `at_least` on.

    `score` does the second part elsewhere (`crosscheck.spark`) and returns such a table. Raises duckdb.InterruptException when the
    connection is interrupted.
    """
    weights = taught(
        lambda: linker_on(DuckDBAPI(connection), tables=tables, settings=creator_of(model)), model=model, stage=stage
    )
    stage("scoring")
    if score is not None:
        return score(connection, tables, model, weights, at_least)
    scorer = linker_on(DuckDBAPI(connection), tables=tables, settings=creator_of(model, weights))
    return str(scorer.inference.predict(threshold_match_probability=at_least, warning_mode="never").physical_name)


def linker_on(api: Any, *, tables: Tables, settings: Any) -> Linker:
    """Returns a linker on any backend; of two tables the left one is called "a", the right one "b"."""
    if tables.is_one:
        inputs: Any = api.register(tables.left, dataset_display_name="a")
    else:
        names = ((tables.left, "a"), (tables.right, "b"))
        inputs = [api.register(table, dataset_display_name=name) for table, name in names]
    logging.getLogger("splink").setLevel(logging.ERROR)
    return Linker(inputs, settings, log_level=None)


def taught(make: Callable[[], Linker], *, model: Model, stage: Stage = lambda _: None) -> Weights:
    """Returns the weights learned from the data, without labels. `make` gives untrained linkers. Raises duckdb.InterruptException.

    A handful of people, or people who are all alike, teach nothing: Splink has then nothing to compare, or finds something impossible.
    What is known of all people stays in force there.
    """
    stage("training")
    linker = make()
    _count(linker, model=model)
    try:
        for key in model.training:
            linker.training.estimate_parameters_using_expectation_maximisation(block_on(*key.columns))
    except (ValueError, SplinkException) as error:
        _pass_on_interrupt(error)
        _log.info("nothing is learned from these records: %s", type(error).__name__)
        linker = make()
        _count(linker, model=model)
    return learned(linker, model=model)


def _pass_on_interrupt(error: BaseException) -> None:
    """Splink wraps whatever the database says."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, duckdb.InterruptException):
            raise cause
        cause = cause.__cause__ or cause.__context__


def _count(linker: Linker, *, model: Model) -> None:
    """Learns what needs no example: how many pairs are true ones, and how often strangers agree."""
    if model.strict:
        rules: list[Any] = [block_on(*names) for names in model.strict]
        try:
            linker.training.estimate_probability_two_random_records_match(rules, recall=ASSUMED_RECALL)
        except ValueError:
            # More pairs agree than would leave room for others: then none are others.
            linker.training.estimate_probability_two_random_records_match(rules, recall=1.0)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=SEED)


def one_of_all(model: Model) -> float:
    """Returns the least share of true pairs: Splink cannot reckon with none."""
    return 1 / max(model.pairs, 2)


def strict_keys(kinds: Columns, *, keys: Sequence[Key]) -> list[tuple[str, ...]]:
    """Returns keys hardly anybody shares by chance: an identifier and one more column, or a name, a day and one more."""
    # An identifier whose pairs are too many to be looked at is shared by strangers, like the telephone of an office.
    usable = {key.columns for key in keys}
    ids = [name for name, kind in kinds.items() if kind in (ColumnType.IDENTIFIER, ColumnType.SEALED) and (name,) in usable]
    names = [name for name, kind in kinds.items() if kind is ColumnType.NAME]
    days = [name for name, kind in kinds.items() if kind is ColumnType.DATE]
    with_ids = [(first, name) for first in ids for name in names]
    with_days = [(*names[:2], day) for day in days if names]
    return with_ids + with_days or [key.columns for key in keys[:1]]


def _tells(connection: duckdb.DuckDBPyConnection, tables: Tables, name: str) -> bool:
    values = f'SELECT count(DISTINCT "{name}") > 1 FROM {{}}'
    return all(bool(connection.execute(values.format(table)).fetchall()[0][0]) for table in (tables.left, tables.right))


def learned(linker: Linker, *, model: Model) -> Weights:
    """Returns what a trained linker has learned, weighed against what is known of all people (KNOWN, EQUAL_AT_LEAST)."""
    settings: dict[str, Any] = linker.misc.save_model_to_json()
    prior = min(max(settings["probability_two_random_records_match"], one_of_all(model)), MOST_TRUE)
    levels = {
        comparison["output_column_name"]: _levels(comparison["comparison_levels"], true_pairs=prior * model.pairs)
        for comparison in settings["comparisons"]
    }
    return Weights(prior=prior, levels=levels)


def _levels(given: Sequence[dict[str, Any]], *, true_pairs: float) -> tuple[tuple[float, float], ...]:
    """Returns (m, u) of a column, with LEAST for what was never seen: a slip of the pen is rare, not impossible."""
    levels = [level for level in given if not level.get("is_null_level")]
    chances = _weighed([level.get("m_probability") or 0.0 for level in levels], true_pairs=true_pairs)
    return tuple((m, level.get("u_probability") or LEAST) for m, level in zip(chances, levels, strict=True))


def _weighed(learned_here: Sequence[float], *, true_pairs: float) -> list[float]:
    """Returns m of the levels, the first one that of equal values; without anything learned (all 0) it is what is known."""
    known = [KNOWN, *[(1 - KNOWN) / (len(learned_here) - 1)] * (len(learned_here) - 1)]
    share = true_pairs / (true_pairs + KNOWN_PAIRS) if any(learned_here) else 0.0
    mixed = [share * m + (1 - share) * before for m, before in zip(learned_here, known, strict=True)]
    if mixed[0] < EQUAL_AT_LEAST:
        scale = (1 - EQUAL_AT_LEAST) / sum(mixed[1:])
        mixed = [EQUAL_AT_LEAST, *(m * scale for m in mixed[1:])]
    return [max(m, LEAST) for m in mixed]
