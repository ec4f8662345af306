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
    """`field_key`: base64 of 32 random bytes, the local master key of the key vault; or a file that holds it.

    `field_keys_former`: earlier field keys (base64, comma separated), until `rotate-keys master` has run. `kms_file`: JSON that names a
    real key management service (`privacy.keyring.kms_of`); then no field key is needed.
    """

    field_key: str = field(default="", repr=False)
    field_key_file: str = ""
    field_keys_former: tuple[str, ...] = field(default=(), repr=False)
    kms_file: str = ""

    def key(self) -> bytes:
        """Returns the field key. Raises ConfigError when there is none or it has the wrong length."""
        return _key(self.field_key or self._from_file())

    def field_keys(self) -> list[bytes]:
        """Returns all field keys, the present one first. Raises ConfigError: none is needed only with `kms_file`."""
        former = [_key(text) for text in self.field_keys_former]
        if self.kms_file and not (self.field_key or self.field_key_file):
            return former
        return [self.key(), *former]

    def _from_file(self) -> str:
        if not self.field_key_file:
            return ""
        try:
            return Path(self.field_key_file).read_text(encoding="ascii").strip()
        except OSError as error:
            raise ConfigError(f"BINGLIAN_FIELD_KEY_FILE cannot be read: {error}") from error


@dataclass(frozen=True, kw_only=True)
class CommandSettings(Settings):
    """What commands need: the database and the keys, no broker."""

    amqp_uri: str = ""


@dataclass(frozen=True, kw_only=True)
class JobSettings(CommandSettings):
    """What the process that works on jobs needs.

    `work_dir` is where jobs keep what they have made so far, in clear, on a disk of this machine that is encrypted as the database's
    is; it is removed with the end of the job, of a cross-check that failed or was cancelled a day later. `files_dir`: a folder
    operators put files into, and remove them from. `job_memory_gb` limits DuckDB, `job_threads` 0 means all processors. `link_backend`
    is "duckdb", or "spark" for a Spark session at `spark_master`.
    """

    work_dir: str = ".binglian/jobs"
    files_dir: str = ""
    job_memory_gb: float = 3.0
    job_threads: int = 0
    link_backend: str = "duckdb"
    spark_master: str = ""


def _key(text: str) -> bytes:
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
