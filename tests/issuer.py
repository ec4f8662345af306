"""A token issuer for tests: signs tokens of any shape and publishes its keys over real HTTP."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa


class Issuer:
    """Keys by id; `fetches` counts how often they were asked for, `down` makes it answer 503, `pause` late."""

    def __init__(self) -> None:
        self.url = ""
        self.fetches = 0
        self.down = False
        self.pause = 0.0
        self._keys: dict[str, Any] = {}
        self.add_key("one")

    def add_key(self, key_id: str, *, kind: str = "EdDSA") -> None:
        self._keys[key_id] = (
            ed25519.Ed25519PrivateKey.generate()
            if kind == "EdDSA"
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )

    def remove_key(self, key_id: str) -> None:
        del self._keys[key_id]

    def public_bytes(self, key_id: str) -> bytes:
        """The raw public key, which anyone can have."""
        raw: bytes = self._keys[key_id].public_key().public_bytes_raw()
        return raw

    def token(self, *, key_id: str = "one", key: Any = None, **changes: Any) -> str:
        """A good token with the given claims changed; None takes a claim away."""
        claims = {
            "iss": "binglian",
            "aud": "binglian",
            "sub": "u1",
            "name": "测试",
            "roles": ["DISPATCHER"],
            "area": "4205",
            "purposes": ["P04"],
            "exp": time.time() + 600,
        }
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
        signer = key or self._keys[key_id]
        algorithm = "EdDSA" if isinstance(signer, ed25519.Ed25519PrivateKey) else "RS256"
        return jwt.encode(claims, signer, algorithm=algorithm, headers={"kid": key_id})

    def document(self) -> dict[str, Any]:
        return {"keys": [self._public(key_id) for key_id in self._keys]}

    def _public(self, key_id: str) -> dict[str, Any]:
        key = self._keys[key_id]
        algorithm: Any = (
            jwt.algorithms.OKPAlgorithm if isinstance(key, ed25519.Ed25519PrivateKey) else jwt.algorithms.RSAAlgorithm
        )
        return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": key_id, "use": "sig"}


@contextlib.contextmanager
def running_issuer() -> Iterator[Issuer]:
    """An issuer that answers at `issuer.url`."""
    issuer = Issuer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.fetches += 1
            time.sleep(issuer.pause)
            self.send_response(503 if issuer.down else 200)
            self.end_headers()
            self.wfile.write(json.dumps(issuer.document()).encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    issuer.url = f"http://127.0.0.1:{server.server_port}/keys"
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
