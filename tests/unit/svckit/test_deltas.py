"""Writing only what differs leaves the document as writing the whole would."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from svckit.deltas import differences, stored
from svckit.documents import Form

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


class Leaf(msgspec.Struct, frozen=True, omit_defaults=True):
    size: int = 0
    at: dt.datetime | None = None


class Twig(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    long_name: str
    leaves: tuple[Leaf, ...] = ()
    tip: Leaf | None = None
    base: Leaf = Leaf(7)


class Branch(msgspec.Struct, frozen=True):
    twigs: tuple[Twig, ...] = ()
    main: Twig | None = None
    marks: dict[str, int] = {}


class Tree(msgspec.Struct, frozen=True):
    tree_id: str = "t"
    branches: tuple[Branch, ...] = ()
    top: Branch = Branch()
    name: str = ""


leaves = st.builds(Leaf, st.integers(0, 2), st.sampled_from([None, NOW]))
twigs = st.builds(
    Twig, st.sampled_from("ab"), st.lists(leaves, max_size=3).map(tuple), st.none() | leaves, leaves | st.just(Leaf(7))
)
branches = st.builds(
    Branch, st.lists(twigs, max_size=3).map(tuple), st.none() | twigs, st.dictionaries(st.sampled_from("xy"), st.integers(0, 2))
)
trees = st.builds(Tree, st.just("t"), st.lists(branches, max_size=3).map(tuple), branches, st.sampled_from(["", "oak"]))
FORM = Form(Tree, id_field="tree_id")


def put(document: Any, path: str, value: Any) -> None:
    """What MongoDB's $set does: goes down by names and places, makes documents that are missing, appends at the end of lists."""
    *way, last = path.split(".")
    for name in way:
        document = document[int(name)] if isinstance(document, list) else document.setdefault(name, {})
    if isinstance(document, list):
        place = int(last)
        assert place <= len(document), "a hole in a list"
        document[place:] = [value, *document[place + 1 :]]
    else:
        document[last] = value


def plain(value: Any) -> Any:
    """Lists instead of tuples, as documents come from the database."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


@given(old=trees, new=trees)
def test_a_changed_document_is_the_new_one(old: Tree, new: Tree) -> None:
    document = {**plain(stored(old)), "_id": "t"}
    paths = FORM.changed(old, new)
    for path, value in paths.items():
        put(document, path, plain(value))
    assert {**document, "_id": None} == {**plain(stored(new)), "_id": None}
    assert FORM.state(document) == new
    for one in paths:
        assert not any(other.startswith(one + ".") for other in paths), "MongoDB refuses paths that lie in each other"


def test_only_what_differs_is_written() -> None:
    old = Tree(branches=(Branch((Twig("a", (Leaf(1), Leaf(2))), Twig("b"))),))
    new = Tree(branches=(Branch((Twig("a", (Leaf(1), Leaf(2, NOW), Leaf(3))), Twig("b"))),))
    assert FORM.changed(old, new) == {
        "branches.0.twigs.0.leaves.1.at": NOW,
        "branches.0.twigs.0.leaves.2": {"size": 3},
    }


def test_what_was_left_out_is_written_whole_and_what_is_left_out_again_too() -> None:
    plain_twig, bent = Twig("a"), Twig("a", base=Leaf(8))
    assert differences("x", plain_twig, bent) == {"x.base": {"size": 8}}
    assert differences("x", bent, plain_twig) == {"x": {"longName": "a"}}
