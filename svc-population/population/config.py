"""Settings of the population service, from the environment."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path

import svckit.config
from svckit.config import ConfigError

KEY_BYTES = 32


@dataclass(frozen=True, kw_only=True)
class Settings(svckit.config.Settings):
    """`field_key`: base64 of 32 random bytes that seal identity and telephone numbers; or a file that holds it."""

    field_key: str = field(default="", repr=False)
    field_key_file: str = ""

    def key(self) -> bytes:
        """Returns the field key. Raises ConfigError when there is none or it has the wrong length."""
        text = self.field_key or self._from_file()
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ConfigError(
                f"BINGLIAN_FIELD_KEY (or the file BINGLIAN_FIELD_KEY_FILE) must hold {KEY_BYTES} random bytes as base64: "
                f"make them with `openssl rand -base64 {KEY_BYTES}` and keep them, nothing opens the data without them"
            )
        return key

    def _from_file(self) -> str:
        if not self.field_key_file:
            return ""
        try:
            return Path(self.field_key_file).read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigError(f"BINGLIAN_FIELD_KEY_FILE cannot be read: {error}") from error
