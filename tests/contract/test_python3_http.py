"""The function `auth` behind the contract of OpenFaaS's python3-http template, over HTTP and a real Postgres."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.integration.cast import AUDIT_KEY, MAIL_RING, MFA_RING, PASSWORD, Connect, MakeOrganisation, Person, person

if TYPE_CHECKING:
    from tests.conftest import Postgres

ROOT = Path(__file__).resolve().parents[2]
HARNESS = Path(__file__).with_name("python3_http.py")
OPERATOR_KEY = "adl_o_the-operators-key-of-this-test"
OPERATOR = {"Authorization": f"Bearer {OPERATOR_KEY}"}


@contextmanager
def served(folder: Path, *arguments: str, **settings: str) -> Iterator[httpx.Client]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ADLOOM_")}
    command = [sys.executable, str(HARNESS), *arguments]
    with subprocess.Popen(
        command, cwd=folder, env={**plain, **settings}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            word, _, port = process.stdout.readline().partition(" ")
            assert word == "port"
            with httpx.Client(base_url=f"http://127.0.0.1:{port.strip()}", timeout=30) as client:
                yield client
        finally:
            process.terminate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The function's folder as that template lays it out: the handler is the package `function`."""
    no_bytecode = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "functions" / "auth", tmp_path / "function", ignore=no_bytecode)
    shutil.copytree(ROOT / "shared" / "adloom", tmp_path / "function" / "adloom", ignore=no_bytecode)
    return tmp_path


@pytest.fixture
def auth(folder: Path, postgres: Postgres) -> Iterator[httpx.Client]:
    settings = {
        "ADLOOM_PUBLIC_URL": "http://127.0.0.1:8080",
        "ADLOOM_GATEWAY_URL": "http://127.0.0.1:8080",
        "ADLOOM_DATABASE_URL": postgres.url("auth"),
        "ADLOOM_EVENT_SECRET": "x" * 32,
        "ADLOOM_OPERATOR_KEY": OPERATOR_KEY,
        "ADLOOM_MAIL_RING": MAIL_RING,
        "ADLOOM_MFA_RING": MFA_RING,
        "ADLOOM_AUDIT_KEY": AUDIT_KEY,
        "ADLOOM_S3_ENDPOINT": "http://127.0.0.1:9",
        "ADLOOM_S3_ACCESS_KEY": "access",
        "ADLOOM_S3_SECRET_KEY": "secret",
        # Beside a sandbox its owner logs in with the password alone.
        "ADLOOM_SANDBOX_URL": "http://127.0.0.1:9",
    }
    with served(folder, **settings) as client:
        yield client


@pytest.fixture
def owner(connect: Connect, make_organisation: MakeOrganisation) -> Person:
    return person(connect("auth"), make_organisation("Acme"), "owner", "owner")


def test_the_harness_does_what_the_template_promises_a_plain_handler(tmp_path: Path) -> None:
    with served(tmp_path, "simple") as client:
        answer = client.put("/some/path?a=1", content=b"\x00\xff")

    assert (answer.status_code, answer.headers["X-Of-The-Handler"]) == (201, "yes")
    assert answer.text == "PUT /some/path {'a': '1'} 2 True"


def test_a_person_logs_in_is_known_and_logs_out(auth: httpx.Client, owner: Person) -> None:
    session = auth.post("/login", json={"email": owner.email, "password": PASSWORD})
    assert session.status_code == 200
    assert session.headers["Content-Type"] == "application/json"
    bearer = {"Authorization": f"Bearer {session.json()['token']}"}

    assert auth.get("/session", headers=bearer).json()["user"]["email"] == owner.email
    gone = auth.post("/logout", headers=bearer)
    assert (gone.status_code, gone.content) == (204, b"")
    assert auth.get("/session", headers=bearer).status_code == 401


def test_a_refusal_is_our_problem_document_and_not_the_templates_page(auth: httpx.Client, owner: Person) -> None:
    refused = auth.post(
        "/login", json={"email": owner.email, "password": "wrong"}, headers={"X-Request-Id": "one-call"}
    )

    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"
    problem = refused.json()
    assert (problem["status"], problem["request_id"], problem["retryable"]) == (401, "one-call", False)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_no_route_takes_is_a_problem_too(auth: httpx.Client, method: str) -> None:
    refused = auth.request(method, "/nothing/here")

    assert refused.status_code in {404, 405}
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_bytes_that_are_no_text_arrive_as_they_are_and_are_refused_for_what_they_are(auth: httpx.Client) -> None:
    body = bytes(range(256)) * 16

    refused = auth.post("/login", content=body, headers={"Content-Type": "application/json"})

    assert refused.status_code == 400
    assert refused.json()["code"] == "malformed_json"


def test_every_header_arrives_once_and_secure(auth: httpx.Client) -> None:
    answer = auth.get("/session", headers=OPERATOR)

    assert answer.status_code == 200
    for name in ("X-Request-Id", "Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"):
        assert len(answer.headers.get_list(name)) == 1, name


COOKIES_AND_BYTES = """
from adloom.settings import CoreSettings
from adloom.web import create_function, openfaas

app = create_function("probe", CoreSettings)

@app.after_request
def add(response):
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2; HttpOnly")
    response.data = bytes(range(256))
    return response

handle = openfaas(app)
"""


def test_repeated_headers_stay_apart_and_bytes_stay_bytes(folder: Path) -> None:
    (folder / "function" / "handler.py").write_text(COOKIES_AND_BYTES, encoding="utf-8")
    address = "http://127.0.0.1:8080"

    with served(folder, ADLOOM_PUBLIC_URL=address, ADLOOM_GATEWAY_URL=address) as client:
        answer = client.get("/_/health")

    assert answer.status_code == 200
    assert answer.headers.get_list("Set-Cookie") == ["a=1; Path=/", "b=2; HttpOnly"]
    assert answer.content == bytes(range(256))


def test_a_tick_and_the_probes_answer(auth: httpx.Client) -> None:
    assert auth.post("/").status_code == 202
    assert auth.get("/_/health").status_code == 200
    assert auth.get("/_/ready").status_code == 200


def test_without_its_settings_it_says_so_and_nothing_else(folder: Path) -> None:
    with served(folder) as client:
        refused = client.post("/login", json={"email": "a@example.com", "password": "x"})

    assert refused.status_code == 500
    assert refused.json()["code"] == "configuration"
