"""What the worker does so that care, visits, watches, life events, checks and orders go where their people go. It never reaches grpc."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from population.domain.elder import ElderOrder
from population.domain.resident import Resident
from population.domain.standing import Aside
from population.operations import following_residents as operations
from population.operations.following_residents import Stand, standing_for
from population.policies.care import is_free
from population.working import Working
from svckit.batch import BatchRepository, all_saved
from svckit.bus import Documents, Event, handles
from svckit.documents import Change, Decide, utc_now

_LOADED = {"outbox": False, "commands": False, "created_by": False}
_WHOM = ("resident_id", "merged_into")
Known = dict[str, Resident]


class Kind(NamedTuple):
    """Something that is done for people: while in one of `states`; `twin` is equal for what is done for one person once only."""

    name: str
    states: tuple[str, ...]
    decide: Callable[..., Any]
    twin: Callable[[Any], object]


_KINDS = (
    Kind("care", ("active",), operations.follow_care, lambda entry: entry.category),
    Kind("plans", ("active",), operations.follow_plan, lambda plan: plan.rule if is_free(plan.rule) else plan.plan_id),
    Kind("watches", ("active",), operations.follow_watch, lambda watch: watch.house_id),
    Kind("life_events", ("open",), operations.follow_life_event, lambda event: (event.rule, event.occurred_on)),
    Kind("elder_orders", ("placed", "taken"), operations.follow_order, lambda order: order.order_id),
)


class Accompanying(Working):
    """Mixed into the worker."""

    elder_orders = Documents("elder_orders", state_cls=ElderOrder, id_field="order_id")

    @handles(
        "population.residence_ended.v1",
        "population.resident_moved.v1",
        "population.resident_died.v1",
        "population.resident_voided.v1",
        "population.resident_restored.v1",
        "population.resident_merged.v1",
        "population.resident_unmerged.v1",
    )
    def accompany_residents(self, events: list[Event]) -> None:
        """Ends, moves and takes up again what is done for people, as the register has them now."""
        told = [event.fields() for event in events]
        ids = {fields[name] for fields in told for name in _WHOM if fields.get(name)}
        known = self._people(ids)
        while True:
            for kind in _KINDS:
                self._follow(kind, dict(known))
            decide = partial(_fields_of, known)
            all_saved(self.ledgers.apply([Change(id, decide(id)) for id in sorted(known)]))
            again = self._people(ids)
            if _revisions(again) == _revisions(known):
                return
            known = again  # changed meanwhile: what was decided from the old state must not stay

    def _people(self, ids: Collection[str]) -> Known:
        """People by id, with the entries they were merged into."""
        known: Known = {}
        while missing := {*ids, *_merged_into(known)} - known.keys():
            rows = self.residents.collection.find({"_id": {"$in": sorted(missing)}}, _LOADED)
            found = {row["_id"]: self.residents.form.state(row) for row in rows}
            known |= found
            if not found:
                break
            ids = {id for id in ids if id in known}
        return known

    def _follow(self, kind: Kind, known: Known) -> None:
        repository: BatchRepository[Any] = getattr(self, kind.name)
        done = self._done_for(repository, kind, known)
        all_saved(repository.apply(list(_changes(kind, done, known))))

    def _done_for(self, repository: BatchRepository[Any], kind: Kind, known: Known) -> dict[str, Any]:
        """What is done for people, and for all who were merged with them: those are added to `known`."""
        while True:
            whose = {"$in": sorted(known)}
            lives = {"$or": [{"state": {"$in": list(kind.states)}}, {"set_aside": {"$in": [one.value for one in Aside]}}]}
            query = {"$and": [{"$or": [{"resident_id": whose}, {"entered_for": whose}]}, lives]}
            done = {row["_id"]: repository.form.state(row) for row in repository.collection.find(query, _LOADED)}
            more = self._people({_owner(one) for one in done.values()} - known.keys())
            if not more.keys() - known.keys():
                return done
            known |= more


def _changes(kind: Kind, done: Mapping[str, Any], known: Known) -> Iterator[Change]:
    """What lasts comes before what begins again, a person's own before what came by a merge: the later of two is double."""
    now, taken = utc_now(), set()
    stands = {id: (_owner(one), standing_for(_owner(one), known)) for id, one in done.items()}

    def order(id: str) -> tuple[bool, bool, str]:
        owner, resident = stands[id]
        return getattr(done[id], "set_aside", None) is not None, resident is None or owner != resident.resident_id, id

    for id in sorted(done, key=order):
        owner, resident = stands[id]
        if resident is None:
            continue
        twin = resident.resident_id, kind.twin(done[id])
        stand = Stand(owner=owner, resident=resident, double=twin in taken)
        taken.add(twin)
        yield Change(id, _if_there(partial(kind.decide, stand=stand, now=now)))


def _fields_of(known: Known, id: str) -> Decide:
    return _if_there(partial(operations.follow_fields, resident=known[id], now=utc_now()))


def _owner(one: Any) -> str:
    owner: str = one.entered_for or one.resident_id
    return owner


def _merged_into(known: Known) -> set[str]:
    return {one.standing.merged_into for one in known.values() if one.standing and one.standing.merged_into}


def _revisions(known: Known) -> dict[str, int]:
    return {id: one.revision for id, one in known.items()}


def _if_there(decide: Callable[[Any], Any]) -> Decide:
    """There is nothing to do for what is gone."""
    return lambda state: (None, ()) if state is None else decide(state)
