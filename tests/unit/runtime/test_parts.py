"""Which parts are chosen, in which order they stop, and how a port is found."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from infra.deployment.private import write_private
from infra.local.environment import Operator
from infra.local.errors import RuntimeFault
from infra.local.home import Home, read_json
from infra.local.parts import Part, stop_order, with_needs
from infra.local.ports import PortBook
from infra.local.servers import Routes, caddyfile


def part(name: str, *needs: str, front: bool = False) -> Part:
    return Part(name, ("true",), {}, needs=needs, front=front)


PARTS = {
    one.name: one
    for one in [
        part("postgres"),
        part("migrate", "postgres"),
        part("nats"),
        part("auth", "migrate"),
        part("dashboard", "migrate", "nats"),
        part("caddy", front=True),
    ]
}


def test_a_chosen_part_brings_what_it_needs() -> None:
    assert list(with_needs(PARTS, ["auth"])) == ["postgres", "migrate", "auth"]


def test_an_unknown_part_is_refused_by_name() -> None:
    with pytest.raises(RuntimeFault, match="no part 'redis'"):
        with_needs(PARTS, ["redis"])


def test_nothing_stops_before_what_needs_it_and_the_front_door_stops_first() -> None:
    waves = stop_order(PARTS)
    assert waves[0] == ["caddy"]
    position = {name: number for number, wave in enumerate(waves) for name in wave}
    for one in PARTS.values():
        assert all(position[one.name] < position[need] for need in one.needs)


@pytest.fixture
def book() -> Iterator[PortBook]:
    with closing(PortBook()) as book:
        yield book


@pytest.fixture
def other_book() -> Iterator[PortBook]:
    with closing(PortBook()) as book:
        yield book


def test_the_first_free_port_is_chosen_and_given_only_once(book: PortBook, other_book: PortBook) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first = book.choose("one", port, {})
        assert first > port
        assert other_book.choose("two", first, {}) != first, "another stack cannot take it either"
    assert book.choose("three", port, {"three": port}) == port


def test_a_kept_port_that_is_taken_is_given_up(book: PortBook) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert book.choose("one", port + 1, {"one": port}) != port


def test_a_private_file_is_never_half_written_nor_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, "old")
    (tmp_path / ".secret.partial").write_text("left by a crash")
    write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_a_file_that_is_no_json_object_is_named(tmp_path: Path) -> None:
    assert read_json(tmp_path / "none") == {}
    (tmp_path / "list").write_text("[1]")
    with pytest.raises(RuntimeFault, match="list is damaged"):
        read_json(tmp_path / "list")


def test_the_front_door_answers_to_the_public_name_too() -> None:
    routes = Routes(8080, "https://ads.example.com", 8081, {"auth": 8101})
    assert "http://ads.example.com:8080 {" in caddyfile(routes.front)
    assert "ads.example.com" not in caddyfile(Routes(8080, "http://127.0.0.1:8080", 8081, {}).front)


def test_a_body_comes_whole_before_a_function_hears_of_it() -> None:
    settings = caddyfile(Routes(8080, "http://127.0.0.1:8080", 8081, {"auth": 8101, "sync-meta": 8102}).front)
    assert settings.count("request_buffers") == 2, "the dashboard's uploads and web sockets are not held back"


def test_the_operators_secrets_are_not_passed_on() -> None:
    operator = Operator.read({"ADLOOM_LOG_LEVEL": "DEBUG", "ADLOOM_DATABASE_URL": "postgresql://x", "AWS_KEY": "y"})
    assert operator.passed == {"ADLOOM_LOG_LEVEL": "DEBUG"}


def test_the_home_can_be_moved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ADLOOM_HOME", str(tmp_path / "elsewhere"))
    assert Home.from_environment().path == tmp_path / "elsewhere"
    monkeypatch.delenv("ADLOOM_HOME")
    assert Home.from_environment().path.name == ".adloom"
