"""What every part of the repository must have, and what no file of it may mention."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from deploy.local.layout import SERVICES, Layout
from deploy.local.parts import build_parts
from svckit.grpc_server import all_services

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(folder.name for folder in ROOT.glob("svc-*") if folder.is_dir())

ADDRESSES = re.compile(r"\b(?:https?|wss?|git\+ssh|ssh)://([A-Za-z0-9.-]+)")
MEANT = re.compile(
    r"localhost|127\.0\.0\.1|0\.0\.0\.0|(.+\.)?example|[a-z]|(www\.)?(w3|apache)\.org|schemas\.openxmlformats\.org|semver\.org|keepachangelog\.com"
    r"|kubernetes\.default\.svc"
)
"""Hosts a file may name: this machine, made-up ones, and those that name a standard, a license or a cluster from inside."""
ABSOLUTE = re.compile(r"(?<![\w.:/~-])/(?:home|root|Users|work|mnt|media)/[\w.-]+")


@cache
def texts() -> dict[str, str]:
    """Every text file that git keeps, by its path; what was deleted and not yet committed is left out."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    found = {}
    for name in filter(None, listed.split("\0")):
        try:
            found[name] = (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return found


def hits(pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
    """(path, match), this file left out."""
    for name, text in texts().items():
        if name != "tests/contract/test_repository.py":
            yield from ((name, match) for match in pattern.finditer(text))


def test_the_services_are_those_of_the_local_stack() -> None:
    assert sorted(f"svc-{service}" for service in SERVICES) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
class TestService:
    def test_it_says_what_it_is(self, folder: str) -> None:
        readme = (ROOT / folder / "README.md").read_text("utf-8")
        assert readme.startswith(f"# {folder}")
        assert len(readme) > 1000

    def test_it_is_a_package_of_its_own(self, folder: str) -> None:
        package = folder.removeprefix("svc-").replace("-", "_")
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text("utf-8"))["project"]
        assert project["name"].endswith(folder.removeprefix("svc-"))
        assert any(need.startswith("svckit") or need.startswith("binglian-svckit") for need in project["dependencies"])
        shape = {"__main__.py", "config.py", "domain", "policies", "operations", "store", "rpc", "events"}
        assert shape <= {
            path.name if path.stem.startswith("__") or path.stem == "config" else path.stem
            for path in (ROOT / folder / package).iterdir()
        }

    def test_it_has_ports_and_both_processes(self, folder: str, tmp_path: Path) -> None:
        service = folder.removeprefix("svc-")
        layout = Layout.from_env({}, home=str(tmp_path))
        parts = {part.name: part for part in build_parts(layout, {})}
        assert parts[f"{service}-api"].port == layout.ports.of(service)
        assert parts[f"{service}-worker"].port == layout.ports.health_of_worker(service)

    def test_it_has_a_contract(self, folder: str) -> None:
        package = f"binglian.{folder.removeprefix('svc-').replace('-', '_')}.v1."
        assert [name for name in all_services() if name.startswith(package)]


def test_no_two_parts_share_a_port() -> None:
    ports = list(vars(Layout.from_env({}).ports).values())
    assert len(ports) == len(set(ports))


def test_only_hosts_that_are_meant_are_named() -> None:
    # npm's lock says where each package's authors take donations.
    found = [(name, match) for name, match in hits(ADDRESSES) if not name.endswith("package-lock.json")]
    assert [f"{name}: {match[0]}" for name, match in found if not MEANT.fullmatch(match[1])] == []


def test_no_file_says_where_packages_come_from() -> None:
    source = re.compile(r"--(?:extra-)?index-url[ =]\S*//|^\s*registry\s*=|\"resolved\": *\"|find-links", re.MULTILINE)
    assert [f"{name}: {match[0]}" for name, match in hits(source)] == []


def configured_hosts() -> set[str]:
    """Hosts this machine installs from."""
    shown = subprocess.run(["env"], capture_output=True, text=True, check=True).stdout
    pip = subprocess.run([ROOT / ".venv" / "bin" / "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
    files = [Path(os.path.expanduser(name)) for name in ("~/.npmrc", "~/.config/uv/uv.toml", "/etc/pip.conf")]
    everything = "\n".join((shown, pip, *(file.read_text() for file in files if file.exists())))
    addresses = re.findall(
        r"(?:INDEX_URL|index-url|registry|GOPROXY|PROXY|proxy)\S*\s*=\s*['\"]?(https?://[^\s'\"]+)", everything
    )
    return {host for host in (urlsplit(address).hostname for address in addresses) if host} - {"localhost", "127.0.0.1"}


def test_no_host_of_this_machines_configuration_is_named() -> None:
    for host in configured_hosts():
        assert [name for name, text in texts().items() if host in text] == []


def test_no_file_knows_where_it_lies() -> None:
    assert [f"{name}: {match[0]}" for name, match in hits(ABSOLUTE)] == []
    assert [name for name, text in texts().items() if str(ROOT) in text and str(ROOT) != "/"] == []


def test_module_names_say_what_is_in_them() -> None:
    banned = {"utils", "helpers", "manager", "common", "base"}
    assert [name for name in texts() if name.endswith(".py") and Path(name).stem in banned] == []
