"""What a request may look like and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adloom.web.body import MAX_BODY_BYTES

if TYPE_CHECKING:
    from flask.testing import FlaskClient

JSON = {"content_type": "application/json"}


def test_a_body_and_its_defaults_reach_the_handler(client: FlaskClient) -> None:
    answer = client.post("/windows", json={"since": "2026-03-01"})

    assert answer.status_code == 201
    assert answer.get_json() == {"heard": "2026-03-01+1"}
    assert answer.content_type == "application/json"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "malformed_json"),
        ("", "malformed_json"),
        ('{"since": "a", "since": "b"}', "malformed_json"),
        ('{"since": "a", "days": NaN}', "malformed_json"),
        ('{"since": "a", "days": Infinity}', "malformed_json"),
        ('{"since": "a\\u0000b"}', "malformed_json"),
        ('{"since": "\\ud800"}', "malformed_json"),
        ('{"since": ' + "[" * 40 + "]" * 40 + "}", "malformed_json"),
        ("[" * 100_000, "malformed_json"),
        ('{"since": "a", "days": ' + "9" * 5000 + "}", "malformed_json"),
        (b"\xff\xfe", "malformed_json"),
    ],
)
def test_json_with_more_than_one_reading_is_refused(client: FlaskClient, body: str | bytes, code: str) -> None:
    answer = client.post("/windows", data=body, **JSON)

    assert answer.status_code == 400
    assert answer.get_json()["code"] == code


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body.since"}),
        ({"since": 3}, {"body.since"}),
        ({"since": "a", "days": "1"}, {"body.days"}),
        ({"since": "a", "days": True}, {"body.days"}),
        ({"since": None, "untold": 1}, {"body.since", "body.untold"}),
        ([], {"body"}),
        ("since", {"body"}),
    ],
)
def test_wrong_fields_are_listed_all_at_once(client: FlaskClient, body: Any, fields: set[str]) -> None:
    answer = client.post("/windows", json=body)

    assert answer.status_code == 422
    problem = answer.get_json()
    assert problem["code"] == "validation_failed"
    assert {each["field"] for each in problem["fields"]} == fields


def test_a_refusal_never_repeats_what_was_sent(client: FlaskClient) -> None:
    answer = client.post("/windows", json={"since": ["correct horse battery"], "days": "staple"})

    assert "horse" not in answer.get_data(as_text=True)
    assert "staple" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
def test_another_content_type_is_refused(client: FlaskClient, content_type: str) -> None:
    answer = client.post("/windows", data='{"since": "a"}', content_type=content_type)

    assert answer.status_code == 415
    assert answer.get_json()["code"] == "unsupported_media_type"


def test_a_body_up_to_the_limit_is_read(client: FlaskClient) -> None:
    body = '{"since": "a"}'.ljust(MAX_BODY_BYTES)

    assert client.post("/windows", data=body, **JSON).status_code == 201


def test_a_body_over_the_limit_is_refused_unread(client: FlaskClient) -> None:
    class Unread:
        def read(self, *_args: Any) -> bytes:
            raise AssertionError("the body was read")

        readinto = read

    answer = client.post(
        "/windows", environ_overrides={"wsgi.input": Unread(), "CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)}, **JSON
    )

    assert answer.status_code == 413
    assert answer.get_json()["code"] == "body_too_large"


def test_a_body_without_a_length_is_read_no_further_than_the_limit(client: FlaskClient) -> None:
    read = 0

    class Endless:
        def read(self, size: int = -1) -> bytes:
            nonlocal read
            size = 65536 if size < 0 else size
            read += size
            return b" " * size

        def readinto(self, buffer: Any) -> int:
            data = self.read(len(buffer))
            buffer[: len(data)] = data
            return len(data)

    answer = client.post(
        "/windows",
        environ_overrides={
            "wsgi.input": Endless(),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "CONTENT_LENGTH": "",
        },
        **JSON,
    )

    assert answer.status_code == 413
    assert read < 2 * MAX_BODY_BYTES


def test_a_query_is_typed_and_lists_are_taken(client: FlaskClient) -> None:
    answer = client.get("/search?text=shoes&limit=3&account=1&account=2")

    assert answer.get_json() == {"heard": "shoes/3/(1, 2)"}


@pytest.mark.parametrize(
    ("query", "status"), [("limit=many", 422), ("colour=red", 422), ("limit=1&limit=2", 400), ("text=a%00b", 400)]
)
def test_a_wrong_query_is_refused(client: FlaskClient, query: str, status: int) -> None:
    assert client.get(f"/search?{query}").status_code == status


def test_parameters_of_the_path_are_typed(client: FlaskClient) -> None:
    run = "6b6ad65c-9b9a-4a30-a8a0-38c0bb3b4b6d"

    assert client.get(f"/accounts/7/runs/{run}").get_json() == {"heard": f"7 {run}"}


@pytest.mark.parametrize("account", ["0", "-1", "seven", str(2**63), "1.5"])
def test_a_parameter_of_another_type_is_refused(client: FlaskClient, account: str) -> None:
    answer = client.get(f"/accounts/{account}/runs/6b6ad65c-9b9a-4a30-a8a0-38c0bb3b4b6d")

    assert answer.status_code == 422
    assert answer.get_json()["fields"][0]["field"] == "account_id"


def test_an_unknown_address_is_a_problem(client: FlaskClient) -> None:
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/windows")

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, POST"
    assert client.options("/windows").status_code == 405


def test_no_content_is_no_content(client: FlaskClient) -> None:
    answer = client.delete("/windows")

    assert answer.status_code == 204
    assert answer.data == b""
