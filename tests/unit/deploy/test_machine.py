"""What is said when RabbitMQ or the Chinese fonts are missing and cannot be installed."""

import pytest

from deploy.local import machine
from deploy.local.layout import SetupProblem
from svckit import embedded


@pytest.fixture
def no_rabbit(monkeypatch: pytest.MonkeyPatch, tmp_path) -> pytest.MonkeyPatch:
    monkeypatch.setattr(embedded, "RABBIT_SCRIPT", tmp_path / "rabbitmq-server")
    return monkeypatch


def problem() -> str:
    with pytest.raises(SetupProblem) as caught:
        machine.ensure_rabbit(environ={}, say=lambda text: None)
    return str(caught.value)


def test_a_broker_elsewhere_needs_no_package(no_rabbit: pytest.MonkeyPatch) -> None:
    machine.ensure_rabbit(environ={"BINGLIAN_AMQP_URI": "amqp://mq.example/"}, say=lambda text: None)


def test_without_the_rights_the_command_is_named(no_rabbit: pytest.MonkeyPatch) -> None:
    no_rabbit.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    no_rabbit.setattr(machine.os, "geteuid", lambda: 1000)
    assert "sudo apt-get install rabbitmq-server" in problem()


def test_without_apt_the_other_way_is_named(no_rabbit: pytest.MonkeyPatch) -> None:
    no_rabbit.setattr(machine.shutil, "which", lambda name: None)
    assert "no apt-get" in problem()
    assert "BINGLIAN_AMQP_URI" in problem()


def test_a_failed_installation_repeats_what_apt_said(no_rabbit: pytest.MonkeyPatch, tmp_path) -> None:
    program = tmp_path / "apt-get"
    program.write_text("#!/bin/sh\necho 'E: Unable to locate package rabbitmq-server' >&2\nexit 100\n")
    program.chmod(0o755)
    no_rabbit.setenv("PATH", str(tmp_path), prepend=":")
    no_rabbit.setattr(machine.os, "geteuid", lambda: 0)
    no_rabbit.setattr(machine, "_POLICY", tmp_path / "policy-rc.d")
    assert "Unable to locate package rabbitmq-server" in problem()
    assert not (tmp_path / "policy-rc.d").exists()


def fonts_said(environ: dict[str, str]) -> list[str]:
    said: list[str] = []
    machine.ensure_fonts(environ=environ, say=said.append)
    return said


def test_without_fonts_everything_but_pdfs_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(machine, "_FONTS", tmp_path / "missing.ttc")
    monkeypatch.setattr(machine.os, "geteuid", lambda: 1000)
    assert "sudo apt-get install fonts-noto-cjk" in fonts_said({})[-1]
    assert fonts_said({"BINGLIAN_FONT_FOLDER": "/fonts"}) == []
    monkeypatch.setattr(machine.os, "geteuid", lambda: 0)
    monkeypatch.setattr(machine.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(machine, "apt_install", lambda package: f"no {package}")
    assert fonts_said({})[-1].endswith("no fonts-noto-cjk")
    monkeypatch.setattr(machine, "apt_install", lambda package: "")
    assert len(fonts_said({})) == 1
