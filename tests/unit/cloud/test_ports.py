"""Ports are chosen once and kept; one that the user fixed is never replaced."""

from __future__ import annotations

import socket

import pytest

from uriai_cloud import ports
from uriai_cloud.errors import PortTaken
from uriai_cloud.home import Home


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@pytest.fixture
def taken():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_a_chosen_port_is_the_same_next_time(home):
    assert ports.choose(home, "mariadb") == ports.choose(home, "mariadb")


def test_two_services_have_ports_of_their_own(home):
    assert ports.choose(home, "mariadb") != ports.choose(home, "ministack")


def test_a_remembered_port_that_is_taken_now_is_replaced(home, taken):
    ports.remember(home, "mariadb", taken)
    chosen = ports.choose(home, "mariadb")
    assert chosen != taken
    assert ports.remembered(home, "mariadb") == chosen


def test_a_taken_port_that_the_user_asked_for_is_refused_in_one_sentence(home, taken):
    with pytest.raises(PortTaken) as refusal:
        ports.choose(home, "mariadb", taken)
    message = str(refusal.value)
    assert "\n" not in message
    assert str(taken) in message
    assert "URIAI_MARIADB_PORT" in message


def test_the_environment_fixes_a_port(home, taken, monkeypatch):
    monkeypatch.setenv("URIAI_MINISTACK_PORT", str(taken))
    with pytest.raises(PortTaken):
        ports.choose(home, "ministack")


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1"])
def test_a_port_that_is_no_port_is_refused(home, monkeypatch, text):
    monkeypatch.setenv("URIAI_MINISTACK_PORT", text)
    with pytest.raises(PortTaken, match="1 to 65535"):
        ports.choose(home, "ministack")
