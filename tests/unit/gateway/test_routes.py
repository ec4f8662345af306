"""Templates of google.api.http and how requests find them."""

from __future__ import annotations

import pytest

from gateway.routes import Router, UnknownPath, WrongMethod, parse


@pytest.fixture
def router() -> Router[str]:
    made: Router[str] = Router()
    for method, template in [
        ("GET", "/v1/cases"),
        ("POST", "/v1/cases"),
        ("GET", "/v1/cases:watch"),
        ("GET", "/v1/cases/{case_id}"),
        ("GET", "/v1/cases/{case_id}:watch"),
        ("POST", "/v1/cases/{case_id}:dispatch"),
        ("POST", "/v1/cases/{case_id}/tasks/{task_id}:accept"),
        ("GET", "/v1/cases/mine"),
        ("GET", "/v1/{name=shelves/*/books/*}"),
        ("GET", "/v1/{case.name=files/**}"),
        ("GET", "/v1/{name=files/**}:meta"),
    ]:
        made.add(method, template, f"{method} {template}")
    return made


@pytest.mark.parametrize(
    ("method", "path", "target", "variables"),
    [
        ("GET", "/v1/cases", "GET /v1/cases", {}),
        ("POST", "/v1/cases", "POST /v1/cases", {}),
        ("GET", "/v1/cases:watch", "GET /v1/cases:watch", {}),
        ("GET", "/v1/cases/1", "GET /v1/cases/{case_id}", {"case_id": "1"}),
        ("GET", "/v1/cases/1:watch", "GET /v1/cases/{case_id}:watch", {"case_id": "1"}),
        ("GET", "/v1/cases/1:other", "GET /v1/cases/{case_id}", {"case_id": "1:other"}),
        ("GET", "/v1/cases/mine", "GET /v1/cases/mine", {}),
        ("GET", "/v1/cases/mine:watch", "GET /v1/cases/{case_id}:watch", {"case_id": "mine"}),
        ("POST", "/v1/cases/1:dispatch", "POST /v1/cases/{case_id}:dispatch", {"case_id": "1"}),
        ("POST", "/v1/cases/1/tasks/2:accept", "POST /v1/cases/{case_id}/tasks/{task_id}:accept", {"case_id": "1", "task_id": "2"}),
        ("GET", "/v1/shelves/a/books/b", "GET /v1/{name=shelves/*/books/*}", {"name": "shelves/a/books/b"}),
        ("GET", "/v1/files/a/b/c", "GET /v1/{case.name=files/**}", {"case.name": "files/a/b/c"}),
        ("GET", "/v1/files/a:meta", "GET /v1/{name=files/**}:meta", {"name": "files/a"}),
        ("GET", "/v1/cases/%E5%AE%9C%2F1", "GET /v1/cases/{case_id}", {"case_id": "宜/1"}),
        ("GET", "/v1/shelves/a%2Fa/books/%62", "GET /v1/{name=shelves/*/books/*}", {"name": "shelves/a%2Fa/books/b"}),
    ],
)  # fmt: skip
def test_requests_find_their_route(router: Router[str], method: str, path: str, target: str, variables: dict[str, str]) -> None:
    match = router.find(method, path)
    assert (match.target, match.variables) == (target, variables)


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/case", "/v1/cases/", "/v1/cases/1/", "/v1/cases//tasks/2:accept", "/v1/cases/1/x", "/v1/files"]
)
def test_unknown_paths_are_told_apart(router: Router[str], path: str) -> None:
    with pytest.raises(UnknownPath):
        router.find("GET", path)


def test_a_wrong_method_names_those_allowed(router: Router[str]) -> None:
    with pytest.raises(WrongMethod) as caught:
        router.find("DELETE", "/v1/cases")
    assert caught.value.allowed == ("GET", "POST")


@pytest.mark.parametrize("template", ["v1/cases", "/", "/v1/**/x", "/v1/{a", "/v1/{a}}"])
def test_wrong_templates_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        parse(template)


def test_a_route_cannot_be_declared_twice(router: Router[str]) -> None:
    with pytest.raises(ValueError, match="twice"):
        router.add("GET", "/v1/cases/{other}", "x")
