"""The people and department systems of a test, acting over REST as their own programs would."""

from __future__ import annotations

import base64
import functools
import hashlib
import uuid
from typing import Any

import httpx

PASSWORD = "Binglian-demo-2026"
GRID = "42050200100310001"
# A square of about 900 m, west of the district the demo draws on the same suite: no point may lie in two grids.
CENTER = (111.2165, 30.7080)
AREAS = (
    ("4205", "宜昌市"),
    ("420502", "西陵区"),
    ("420502001", "西陵街道"),
    ("420502001003", "石板溪社区居民委员会"),
    ("420502001004", "铁路坝社区居民委员会"),
    (GRID, "石板溪社区1号网格"),
)

COMMITTEE = {
    "code": "420502001003",
    "name": "西陵区西陵街道石板溪社区人民调解委员会",
    "kind": "COMMITTEE_KIND_COMMUNITY",
    "areaCode": "420502001003",
    "members": [
        {"subject": "supervisor", "name": "刘建国", "sex": "1", "post": "COMMITTEE_POST_CHAIR"},
        {"subject": "mediator", "name": "赵敏", "sex": "2", "post": "COMMITTEE_POST_MEMBER"},
        {"subject": "worker", "name": "王芳", "sex": "2", "post": "COMMITTEE_POST_MEMBER"},
    ],
    "termBeginsOn": "2026-01-01",
}


class Office:
    """Calls of several people through one entry. Every call raises unless it is answered with 2xx."""

    def __init__(self, edge_url: str) -> None:
        self._client = httpx.Client(base_url=edge_url, timeout=30)

    @functools.cache  # noqa: B019  -- one office lives as long as its test session
    def _token(self, who: str) -> str:
        if who.startswith("dept-"):
            basic = base64.b64encode(f"{who}:{PASSWORD}".encode()).decode()
            form, headers = {"grant_type": "client_credentials"}, {"authorization": f"Basic {basic}"}
        else:
            form, headers = {"grant_type": "password", "username": who, "password": PASSWORD}, {}
        answer = self._client.post("/oauth2/token", data=form, headers=headers).raise_for_status()
        return str(answer.json()["access_token"])

    def call(
        self, who: str, method: str, path: str, body: dict[str, Any] | None = None, *, trace: str = "", purpose: str = ""
    ) -> dict[str, Any]:
        """One request; mutations get a request id of their own. `trace` is the traceparent to go on with."""
        payload = {"requestId": uuid.uuid4().hex, **body} if body is not None else None
        told = {"traceparent": trace, "x-purpose": purpose}
        headers = {"authorization": f"Bearer {self._token(who)}", **{name: text for name, text in told.items() if text}}
        answer = self._client.request(method, path, json=payload, headers=headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return dict(answer.json())

    def seed_areas(self) -> None:
        """The few areas the tests are about; importing them again changes nothing."""
        areas = [{"areaCode": code, "name": name} for code, name in AREAS]
        areas[-1]["polygons"] = [{"outer": {"points": _square()}}]  # type: ignore[assignment]
        key = hashlib.sha256(repr(areas).encode()).hexdigest()[:32]
        self.call("importer", "POST", "/v1/areas:import", {"requestId": key, "areas": areas})
        self._enter_committee()

    def _enter_committee(self) -> None:
        """The committee of the community with its people; only who stands in the register mediates."""
        if self.call("supervisor", "GET", f"/v1/committees?code={COMMITTEE['code']}").get("committees"):
            return
        self.call("supervisor", "POST", "/v1/committees", {"committee": COMMITTEE})

    def report(self, description: str, **more: Any) -> dict[str, Any]:
        """A new case of blocked common parts in the seeded grid."""
        body = {"category": "A0204", "description": description, "areaCode": GRID, "address": "西陵一路18号", **more}
        return self.call("worker", "POST", "/v1/cases", body)

    def dispatch(self, case: dict[str, Any], *tasks: dict[str, Any]) -> dict[str, Any]:
        """Dispatches to departments; the first leads."""
        roles = ["TASK_ROLE_LEAD", *["TASK_ROLE_JOINT"] * (len(tasks) - 1)]
        plans = [{"role": role, **task} for role, task in zip(roles, tasks, strict=True)]
        path = f"/v1/cases/{case['caseId']}:dispatch"
        return self.call("dispatcher", "POST", path, {"tasks": plans}, trace=case["traceparent"])

    def act(self, case: dict[str, Any], department: str, verb: str, **body: Any) -> dict[str, Any]:
        """The case after a department's own system acted on its task. (FIRE, HOUSING and HEALTH have services of ours that act.)"""
        task = next(
            task for task in case["tasks"] if task["department"] == department and task["state"] != "TASK_STATE_REMOVED"
        )
        who = f"dept-{department.lower().replace('_', '-')}"
        path = f"/v1/cases/{case['caseId']}/tasks/{task['taskId']}:{verb}"
        answer = self.call(who, "POST", path, body, trace=case["traceparent"])
        assert answer["task"]["taskId"] == task["taskId"]
        return self.call(who, "GET", f"/v1/cases/{case['caseId']}")


def _square() -> list[dict[str, float]]:
    east, north = CENTER
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [{"longitude": east + x * 0.0045, "latitude": north + y * 0.004} for x, y in corners]
