"""Files of the web pages: what addresses lead to them, and what is kept in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.exchange import Exchange
from gateway.pages import Folder, Site
from gateway.routes import UnknownPath


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "dist" / "assets").mkdir(parents=True)
    (tmp_path / "dist" / "index.html").write_text("<p>页面</p>")
    (tmp_path / "secret.txt").write_text("no")
    return tmp_path / "dist"


def test_one_file_is_kept_once_however_it_is_written(root: Path) -> None:
    folder = Folder(root)
    pages = {id(folder.page(name)) for name in ("index.html", "./index.html", *(f"x{n}/../index.html" for n in range(50)))}
    assert len(pages) == 1
    assert len(folder._pages) == 1


@pytest.mark.parametrize(
    "name", ["../secret.txt", "assets/../../secret.txt", "/etc/passwd", "assets", "none.js", "a\0b", "x" * 5000]
)
def test_nothing_else_is_opened(root: Path, name: str) -> None:
    assert Folder(root).page(name) is None


@pytest.mark.parametrize("path", ["/%00", "/%ff", "/" + "x" * 5000, "/none.js"])
async def test_an_address_that_is_no_file_is_unknown(root: Path, path: str) -> None:
    scope = {"method": "GET", "raw_path": path.encode(), "query_string": b"", "headers": []}

    async def never(*_: object) -> dict[str, object]:
        raise AssertionError("nothing is read or sent")

    exchange = Exchange(scope, never, never, body_limit=0, body_seconds=1)  # type: ignore[arg-type]
    with pytest.raises(UnknownPath):
        await Site(root)(exchange, {})
