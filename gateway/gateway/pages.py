"""The web pages and the API reference: files that are known when first asked for, answered from memory.

A path that is no file gets the pages' `index.html`, because their router knows it (but never below /v1, /auth and the like).
"""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from gateway.exchange import Exchange
from gateway.routes import UnknownPath

_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HTML_HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"geolocation=(self), camera=(self), microphone=()"),
)
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
_API = ("/v1/", "/auth/", "/oauth2/", "/.well-known/")
_SQUEEZED = ("text/", "application/json", "application/javascript", "image/svg")
_SMALL = 1024


@dataclass(frozen=True, slots=True)
class Page:
    """A file in memory; `squeezed` is empty when compressing gains nothing."""

    body: bytes
    squeezed: bytes
    content_type: bytes
    etag: bytes
    cache: bytes

    async def send(self, exchange: Exchange) -> None:
        """Answers with the file, or with 304 when the client has it."""
        headers = [(b"etag", self.etag), (b"cache-control", self.cache), (b"vary", b"accept-encoding")]
        if self.content_type.startswith(b"text/html"):
            headers += _HTML_HEADERS
        if self.etag in exchange.headers.get(b"if-none-match", b""):
            await exchange.send_nothing(headers, status=304)
            return
        squeeze = self.squeezed and b"gzip" in exchange.headers.get(b"accept-encoding", b"")
        if squeeze:
            headers.append((b"content-encoding", b"gzip"))
        await exchange.send(200, self.content_type, self.squeezed if squeeze else self.body, headers)


def page_of(body: bytes, content_type: str, *, forever: bool = False) -> Page:
    """Makes a page of bytes."""
    squeezable = len(body) > _SMALL and content_type.startswith(_SQUEEZED)
    text = content_type.startswith(("text/", "application/javascript"))
    return Page(
        body=body,
        squeezed=gzip.compress(body, 6, mtime=0) if squeezable else b"",
        content_type=(content_type + "; charset=utf-8" if text else content_type).encode(),
        etag=b'"%b"' % hashlib.sha256(body).hexdigest()[:32].encode(),
        cache=_FOREVER if forever else _ASK_AGAIN,
    )


class Folder:
    """The files below a folder, read when first asked for and again when they have changed. Nothing outside is ever opened."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._pages: dict[Path, tuple[float, Page]] = {}

    def page(self, name: str) -> Page | None:
        """Returns the file at the relative path `name`, None when there is none."""
        path = self._file(name)
        if path is None:
            return None
        changed = path.stat().st_mtime
        # By the file, not by the name: one file has any number of names (a/../index.html).
        known = self._pages.get(path)
        if known and known[0] == changed:
            return known[1]
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        page = page_of(path.read_bytes(), kind, forever=path.is_relative_to(self._root / "assets"))
        self._pages[path] = (changed, page)
        return page

    def _file(self, name: str) -> Path | None:
        try:
            path = (self._root / name).resolve()
            return path if path.is_relative_to(self._root) and path.is_file() else None
        except (OSError, ValueError):  # longer than a name may be, a zero byte
            return None


class Site:
    """The pages of gateway/web."""

    def __init__(self, root: Path) -> None:
        self._folder = Folder(root)

    async def __call__(self, exchange: Exchange, _: Mapping[str, str]) -> None:
        """Answers a GET that no route took. Raises UnknownPath."""
        path = unquote(exchange.path, errors="replace")
        if path.startswith(_API):
            raise UnknownPath(path)
        page = self._folder.page(path.lstrip("/") or "index.html")
        if page is None and b"text/html" in exchange.headers.get(b"accept", b""):
            page = self._folder.page("index.html")
        if page is None:
            raise UnknownPath(path)
        exchange.route = "/{page}"
        await page.send(exchange)


# ---------------------------------------------------------------------------------------------------- API reference

_DOCS_HTML = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Binglian 并联 API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/favicon.svg">
<style>
/* Swagger UI puts a tag's description beside its name, which leaves it a strip one letter wide on a phone. */
@media (max-width: 720px) {
  .swagger-ui .opblock-tag { flex-wrap: wrap; }
  .swagger-ui .opblock-tag > a { flex: 1; }
  .swagger-ui .opblock-tag > small { order: 1; flex: 1 1 100%; padding: 4px 0 0; }
}
</style>
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_DOCS_START = """window.ui = SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  requestInterceptor: (request) => { request.headers["X-Requested-With"] = "docs"; return request; },
});
"""
_DOCS_FILES = ("swagger-ui.css", "swagger-ui-bundle.js")


class Docs:
    """Swagger UI, out of the PyPI package that carries it; needs no outside network."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("flask_swagger_ui")  # its files only: nothing of it is imported
        assert found
        assert found.origin
        self._folder = Folder(Path(found.origin).parent / "dist")
        self._own = {
            "": page_of(_DOCS_HTML.encode(), "text/html"),
            "start.js": page_of(_DOCS_START.encode(), "text/javascript"),
        }

    async def __call__(self, exchange: Exchange, variables: Mapping[str, str]) -> None:
        """GET /docs and the files it needs. Raises UnknownPath."""
        name = variables.get("file", "")
        page = self._own.get(name) or (self._folder.page(name) if name in _DOCS_FILES else None)
        if page is None:
            raise UnknownPath(name)
        await page.send(exchange)
