"""Ports and folders of a stack."""

import pytest

from deploy.local.layout import Layout, Ports, SetupProblem


def test_the_ports_people_know() -> None:
    ports = Ports.from_env({})
    assert (ports.edge, ports.of("fire-safety"), ports.mongo) == (8080, 9104, 27117)


def test_a_base_moves_all_ports_into_one_block_and_single_ones_still_win() -> None:
    ports = Ports.from_env({"BINGLIAN_PORT_BASE": "18000", "BINGLIAN_PORT_MONGO": "27018"})
    values = list(vars(ports).values())
    assert ports.edge == 18000
    assert ports.mongo == 27018
    assert len(set(values)) == len(values)
    assert all(18000 <= value < 18018 for value in values if value != 27018)


@pytest.mark.parametrize("text", ["http", "0", "-1", "70000"])
def test_a_wrong_port_names_its_variable(text: str) -> None:
    with pytest.raises(SetupProblem, match="BINGLIAN_PORT_EDGE"):
        Ports.from_env({"BINGLIAN_PORT_EDGE": text})


def test_the_base_leaves_room_for_all_ports() -> None:
    with pytest.raises(SetupProblem, match="BINGLIAN_PORT_BASE"):
        Ports.from_env({"BINGLIAN_PORT_BASE": "65530"})


def test_a_long_home_still_has_a_socket_the_kernel_takes(tmp_path) -> None:
    layout = Layout.from_env({}, home=str(tmp_path / ("x" * 120)))
    assert len(str(layout.control_socket)) < 100
    assert layout.control_socket != Layout.from_env({}, home=str(tmp_path / ("y" * 120))).control_socket
