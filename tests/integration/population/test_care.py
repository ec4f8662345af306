"""The care register, visits, welfare alerts and elder services through a running service, with its worker's timers."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from binglian.population.v1 import (
    care_pb2,
    care_pb2_grpc,
    elder_pb2,
    elder_pb2_grpc,
    life_event_pb2,
    welfare_pb2,
    welfare_pb2_grpc,
)

from svckit.ids import new_id
from tests.integration.population.people import CITY, GRID, People
from tests.refusals import refusal
from tests.services import eventually

pytestmark = pytest.mark.integration
CHINA = dt.timezone(dt.timedelta(hours=8))
YESTERDAY = (dt.datetime.now(CHINA).date() - dt.timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def care(people: People) -> Any:
    return care_pb2_grpc.CareServiceStub(people.service.channel)


@pytest.fixture(scope="module")
def welfare(people: People) -> Any:
    return welfare_pb2_grpc.WelfareServiceStub(people.service.channel)


@pytest.fixture(scope="module")
def elder(people: People) -> Any:
    return elder_pb2_grpc.ElderServiceStub(people.service.channel)


def entering(resident_id: str, category: str, **fields: Any) -> care_pb2.EnterCareRequest:
    given = {"consent": life_event_pb2.CONSENT_GIVEN, "resident_id": resident_id, "category": category}
    return care_pb2.EnterCareRequest(request_id=new_id(), **(given | fields))


def plan_of(care: Any, people: People, resident_id: str) -> list[care_pb2.VisitPlan]:
    request = care_pb2.ListVisitPlansRequest(resident_id=resident_id)
    clerk = people.caller("clerk", "COMM_CLERK", area=CITY, purpose="P01")
    return list(care.ListVisitPlans(request, **clerk).plans)


def test_who_is_on_the_register_is_visited(people: People, care: Any) -> None:
    facts = people.service.facts("population.#")
    resident = people.enter().resident_id
    request = entering(resident, "1003")
    entry = care.EnterCare(request, **people.worker).entry
    assert (entry.category, entry.cadence_days, entry.responsible_role) == ("***", 7, "GRID_WORKER")
    assert care.EnterCare(request, **people.worker).entry.care_id == entry.care_id
    assert refusal(care.EnterCare, entering(resident, "1003"), **people.worker).reason == "IN_CARE_ALREADY"
    (plan,) = eventually(lambda: plan_of(care, people, resident))
    assert (plan.plan_id, plan.rule, plan.visited) == (entry.care_id, "VK1", False)
    visit = care_pb2.RecordVisitRequest(plan_id=plan.plan_id, request_id=new_id())
    assert refusal(care.RecordVisit, visit, **people.worker).reason == "EVIDENCE_MISSING"
    visit.notes = "缺药,已代购"
    assert care.RecordVisit(visit, **people.worker).plan.visited
    plans = people.service.database["visit_plans"]
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=15)
    start = past - dt.timedelta(days=7)
    plans.update_one({"_id": plan.plan_id}, {"$set": {"next_turn_at": past, "due_at": past, "period_start": start}})
    turned = eventually(lambda: [one for one in plan_of(care, people, resident) if one.kept], seconds=20)[0]
    # The visit counted for its own period; the two periods after it, while nobody was there, were missed.
    assert (turned.kept, turned.missed, turned.visited) == (1, 2, False)
    mine = eventually(lambda: len(of_plan(facts(), plan.plan_id)) >= 7 and of_plan(facts(), plan.plan_id))
    assert (mine.count("visit_planned"), mine.count("visit_made"), mine.count("visit_missed")) == (4, 1, 2)
    assert not any("category" in data for _, data in facts())
    end = care_pb2.EndCareRequest(care_id=entry.care_id, request_id=new_id(), reason="-", withdrawn=True)
    assert care.EndCare(end, **people.worker).entry.state == care_pb2.CARE_STATE_WITHDRAWN
    eventually(lambda: not plan_of(care, people, resident))


def of_plan(facts: list[tuple[str, dict[str, Any]]], plan_id: str) -> list[str]:
    return [kind.split(".")[1] for kind, data in facts if data.get("planId") == plan_id]


def test_who_may_not_know_learns_nothing(people: People, care: Any) -> None:
    resident = people.enter().resident_id
    entry = care.EnterCare(entering(resident, "4002", consent=life_event_pb2.CONSENT_STATUTORY), **people.clerk).entry
    get = care_pb2.GetCareEntryRequest(care_id=entry.care_id)
    assert refusal(care.GetCareEntry, get, **people.worker).code == "NOT_FOUND"
    mine = care_pb2.ListCareEntriesRequest(resident_id=resident)
    assert not care.ListCareEntries(mine, **people.worker).entries
    for listed, narrowed in (
        (care.ListCareEntries, care_pb2.ListCareEntriesRequest(category="4002")),
        (care.ListVisitPlans, care_pb2.ListVisitPlansRequest(rule="VK2")),
    ):
        assert refusal(listed, narrowed, **people.clerk).reason == "PURPOSE_REQUIRED"
        listed(narrowed, **people.stating("P01"))
    assert len(care.ListCareEntries(mine, **people.clerk).entries) == 1
    assert refusal(care.EnterCare, entering(resident, "8001"), **people.clerk).reason == "CARE_CATEGORY_RESTRICTED"
    assert refusal(care.EnterCare, entering(resident, "7002", consent=4), **people.clerk).reason == "CONSENT_MISSING"
    eventually(lambda: plan_of(care, people, resident))
    to_visit = care_pb2.ListVisitPlansRequest(resident_id=resident)
    assert not care.ListVisitPlans(to_visit, **people.worker).plans


def test_an_entry_expires_by_itself_and_can_be_renewed(people: People, care: Any) -> None:
    resident = people.enter().resident_id
    entry = care.EnterCare(entering(resident, "5001"), **people.clerk).entry
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    people.service.database["care_entries"].update_one({"_id": entry.care_id}, {"$set": {"expires_at": past}})
    get = care_pb2.GetCareEntryRequest(care_id=entry.care_id)
    expired = care_pb2.CARE_STATE_EXPIRED
    eventually(lambda: care.GetCareEntry(get, **people.clerk).entry.state == expired, seconds=25)
    until = (dt.datetime.now(CHINA).date() + dt.timedelta(days=90)).isoformat()
    renew = care_pb2.RenewCareRequest(care_id=entry.care_id, request_id=new_id(), expires_on=until)
    assert care.RenewCare(renew, **people.clerk).entry.state == care_pb2.CARE_STATE_ACTIVE


def test_rounds_through_a_grid(people: People, care: Any) -> None:
    lead = people.caller("lead", "GRID_LEADER", area=GRID)
    request = care_pb2.StartVisitPlanRequest(request_id=new_id(), rule="VC3", area_code=GRID)
    plan = care.StartVisitPlan(request, **lead).plan
    request.request_id = new_id()
    assert refusal(care.StartVisitPlan, request, **lead).reason == "PLANNED_ALREADY"
    visit = care_pb2.RecordVisitRequest(plan_id=plan.plan_id, request_id=new_id(), nothing_to_report=True)
    assert care.RecordVisit(visit, **people.worker).plan.visits[0].nothing_to_report
    end = care_pb2.EndVisitPlanRequest(plan_id=plan.plan_id, request_id=new_id())
    assert care.EndVisitPlan(end, **lead).plan.state == care_pb2.VISIT_PLAN_STATE_ENDED
    assert care.StartVisitPlan(request, **lead).plan.plan_id == plan.plan_id
    assert refusal(care.StartVisitPlan, request_of("VB1"), **lead).reason == "RULE_UNKNOWN"


def request_of(rule: str) -> care_pb2.StartVisitPlanRequest:
    return care_pb2.StartVisitPlanRequest(request_id=new_id(), rule=rule, area_code=GRID)


def watched(people: People, welfare: Any) -> welfare_pb2.WelfareWatch:
    house = new_id()
    resident = people.enter(residence={"house_id": house}).resident_id
    request = welfare_pb2.StartWatchRequest(
        request_id=new_id(),
        resident_id=resident,
        house_id=house,
        consent={"uri": "photo:consent", "sha256": "cd" * 32},
        contacts="女儿 13800000009",
    )
    return welfare.StartWatch(request, **people.stating("P01")).watch


def test_a_house_somebody_is_only_registered_in_is_not_looked_after(people: People, welfare: Any) -> None:
    house = new_id()
    resident = people.enter(registered={"house_id": house, "area_code": GRID, "since": "2020-01-01"}).resident_id
    consent = {"uri": "photo:consent", "sha256": "cd" * 32}
    request = welfare_pb2.StartWatchRequest(request_id=new_id(), resident_id=resident, house_id=house, consent=consent)
    assert refusal(welfare.StartWatch, request, **people.stating("P01")).reason == "LIVES_ELSEWHERE"


def drawn(people: People, welfare: Any, *days: tuple[str, str, bool]) -> welfare_pb2.PushDrawnResponse:
    water = people.caller("water", "DEPT_HANDLER", area=CITY, department="UTIL_WATER", purpose="P03", purposes=["P03"])
    messages = [
        welfare_pb2.PushDrawnRequest(request_id="drawn-2026", house_id=house, day=day, drawn=any_water)
        for house, day, any_water in days
    ]
    return welfare.PushDrawn(iter(messages), **water)


def test_a_day_without_water_makes_somebody_call_go_and_help(people: People, welfare: Any) -> None:
    facts = people.service.facts("population.#")
    watch = watched(people, welfare)
    listed = welfare.ListWatches(welfare_pb2.ListWatchesRequest(), **people.worker).watches
    masked = next(one for one in listed if one.watch_id == watch.watch_id)
    assert (masked.contacts, masked.house_id, watch.contacts) == ("***", "***", "女儿 13800000009")
    stored = people.service.database["welfare_watches"].find_one({"_id": watch.watch_id})
    assert "13800000009" not in repr(stored)
    today = dt.datetime.now(CHINA).date().isoformat()
    answer = drawn(
        people, welfare, (watch.house_id, YESTERDAY, False), (new_id(), YESTERDAY, False), (watch.house_id, today, False)
    )
    assert (answer.received, answer.refused_count) == (3, 1)
    assert answer.ListFields()[1:] == [(answer.DESCRIPTOR.fields_by_name["refused_count"], 1)], "it tells no house apart"
    raised = people.service.database["welfare_watches"].find_one({"_id": watch.watch_id})["alert"]["raised_at"]
    drawn(people, welfare, (watch.house_id, YESTERDAY, False))
    assert people.service.database["welfare_watches"].find_one({"_id": watch.watch_id})["alert"]["raised_at"] == raised
    people.service.database["welfare_watches"].update_one(
        {"_id": watch.watch_id}, {"$set": {"next_turn_at": dt.datetime.now(dt.UTC) - dt.timedelta(seconds=1)}}
    )
    get = welfare_pb2.GetWatchRequest(watch_id=watch.watch_id)
    visit = welfare_pb2.ALERT_STAGE_VISIT
    eventually(lambda: welfare.GetWatch(get, **people.worker).watch.alert.stage == visit)
    step = welfare_pb2.TakeStepRequest(watch_id=watch.watch_id, request_id=new_id(), stage=1, well=True, result="接了电话")
    assert refusal(welfare.TakeStep, step, **people.worker).reason == "WRONG_STAGE"
    step = welfare_pb2.TakeStepRequest(watch_id=watch.watch_id, request_id=new_id(), stage=visit, result="无人应答")
    assert welfare.TakeStep(step, **people.worker).watch.alert.stage == welfare_pb2.ALERT_STAGE_HELP
    alerting = welfare_pb2.ListWatchesRequest(alerting=True)
    assert watch.watch_id in {one.watch_id for one in welfare.ListWatches(alerting, **people.worker).watches}
    step = welfare_pb2.TakeStepRequest(watch_id=watch.watch_id, request_id=new_id(), stage=3, well=True, result="120 已到")
    over = welfare.TakeStep(step, **people.worker).watch
    assert over.alert.stage == welfare_pb2.ALERT_STAGE_OVER
    assert [one.by for one in over.alert.steps] == ["", "worker", "worker"]
    told = eventually(lambda: [kind for kind, data in facts() if data.get("watchId") == watch.watch_id][3:] and facts())
    kinds = [kind.split(".")[1] for kind, data in told if data.get("watchId") == watch.watch_id]
    assert kinds == ["welfare_alert_raised", *["welfare_alert_escalated"] * 2, "welfare_alert_over"]


def test_only_the_waterworks_say_where_water_was_drawn(people: People, welfare: Any) -> None:
    message = welfare_pb2.PushDrawnRequest(request_id="drawn-2026", house_id=new_id(), day=YESTERDAY)
    for department in ("PSB", ""):
        other = people.caller("other", "DEPT_HANDLER", area=CITY, department=department, purpose="P03", purposes=["P03"])
        said = refusal(lambda *_, **caller: welfare.PushDrawn(iter([message]), **caller), None, **other)
        assert (said.reason, said.metadata) == ("OTHER_DEPARTMENT", {"department": "UTIL_WATER"})


def test_who_is_away_or_has_left_is_left_alone(people: People, welfare: Any) -> None:
    watch = watched(people, welfare)
    away = welfare_pb2.NoteAbsenceRequest(
        watch_id=watch.watch_id, request_id=new_id(), away_until=dt.datetime.now(CHINA).date().isoformat()
    )
    welfare.NoteAbsence(away, **people.worker)
    drawn(people, welfare, (watch.house_id, YESTERDAY, False))
    get = welfare_pb2.GetWatchRequest(watch_id=watch.watch_id)
    assert not welfare.GetWatch(get, **people.worker).watch.HasField("alert")
    end = welfare_pb2.EndWatchRequest(watch_id=watch.watch_id, request_id=new_id())
    ended = welfare.EndWatch(end, **people.worker).watch
    assert (ended.contacts, ended.heard_of) == ("", "")
    drawn(people, welfare, (watch.house_id, YESTERDAY, False))
    assert not welfare.GetWatch(get, **people.worker).watch.HasField("alert")
    raising = welfare_pb2.RaiseAlertRequest(watch_id=watch.watch_id, request_id=new_id(), cause=2)
    assert refusal(welfare.RaiseAlert, raising, **people.worker).reason == "WRONG_STATE"


def test_elder_services_at_agreed_prices(people: People, elder: Any) -> None:
    merchant = people.caller("meals-ltd", "MERCHANT", area=CITY)
    meal = {"code": "MEAL", "name": "助餐", "kind": 1, "unit": "份", "price_fen": 1200}
    provider = elder.CreateProvider(
        elder_pb2.CreateProviderRequest(
            request_id=new_id(),
            uscc="91420500MA4YYYYYY2",
            name="助餐公司",
            area_code="420502",
            account="meals-ltd",
            prices=[meal],
        ),
        **people.clerk,
    ).provider
    resident = people.enter().resident_id
    items = [{"code": "MEAL", "units": 3, "price_fen": 1}]
    place = elder_pb2.PlaceElderOrderRequest(
        request_id=new_id(), resident_id=resident, provider_id=provider.provider_id, items=items
    )
    order = elder.PlaceElderOrder(place, **people.worker).order
    assert order.items[0].price_fen == 1200
    dearer = elder_pb2.UpdateProviderRequest(
        provider_id=provider.provider_id, request_id=new_id(), prices=[meal | {"price_fen": 1500}]
    )
    elder.UpdateProvider(dearer, **people.clerk)
    take = elder_pb2.TakeElderOrderRequest(order_id=order.order_id, request_id=new_id())
    stranger = people.caller("other-ltd", "MERCHANT", area=CITY)
    assert refusal(elder.TakeElderOrder, take, **stranger).reason == "OTHER_PROVIDER"
    assert not elder.ListElderOrders(elder_pb2.ListElderOrdersRequest(), **stranger).orders
    elder.TakeElderOrder(take, **merchant)
    finish = elder_pb2.CompleteElderOrderRequest(
        order_id=order.order_id, request_id=new_id(), receipt_number="R-1", items=[{"code": "MEAL", "units": 4}]
    )
    assert refusal(elder.CompleteElderOrder, finish, **merchant).reason == "MORE_THAN_ORDERED"
    finish.items[0].units = 2
    assert elder.CompleteElderOrder(finish, **merchant).order.receipt.total_fen == 2400
    judge = elder_pb2.ConfirmElderOrderRequest(order_id=order.order_id, request_id=new_id(), right=True, rating=5)
    confirmed = elder.ConfirmElderOrder(judge, **people.worker).order
    assert (confirmed.state, confirmed.rating) == (elder_pb2.ELDER_ORDER_STATE_CONFIRMED, 5)
    listed = elder.ListProviders(elder_pb2.ListProvidersRequest(area_code=GRID, kind=1), **people.worker).providers
    assert provider.provider_id in {one.provider_id for one in listed}
    assert provider.kind == elder_pb2.PROVIDER_KIND_MERCHANT


def test_a_day_care_centre_with_its_rooms(people: People, elder: Any) -> None:
    day = {"code": "DAY", "name": "日间照料", "kind": 4, "unit": "天", "price_fen": 3000}
    create = elder_pb2.CreateProviderRequest(
        request_id=new_id(), uscc="52420500MJH0000001", name="日间照料中心", area_code=GRID[:12], account="day", prices=[day]
    )
    said = refusal(elder.CreateProvider, create, **people.clerk)
    assert (said.reason, said.fields) == ("SERVICE_KIND_NOT_OFFERED", ("prices[0].kind",))
    create.kind = elder_pb2.PROVIDER_KIND_DAY_CARE_CENTRE
    create.facilities.extend([elder_pb2.ELDER_FACILITY_CANTEEN, elder_pb2.ELDER_FACILITY_CLINIC])
    centre = elder.CreateProvider(create, **people.clerk).provider
    assert list(centre.facilities) == [elder_pb2.ELDER_FACILITY_CANTEEN, elder_pb2.ELDER_FACILITY_CLINIC]
    more = elder_pb2.UpdateProviderRequest(
        provider_id=centre.provider_id, request_id=new_id(), facilities=[elder_pb2.ELDER_FACILITY_DORMITORY]
    )
    changed = elder.UpdateProvider(more, **people.clerk).provider
    assert (list(changed.facilities), list(changed.prices)) == ([elder_pb2.ELDER_FACILITY_DORMITORY], list(centre.prices))
    listing = elder_pb2.ListProvidersRequest(area_code=GRID, provider_kind=create.kind)
    assert {one.provider_id for one in elder.ListProviders(listing, **people.worker).providers} == {centre.provider_id}
