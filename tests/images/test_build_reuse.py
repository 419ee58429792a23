"""What has not changed is not built again, and what has is."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.images.base import PYTHON
from infra.images.build import Image
from tests.images.built import build, contents, engine, layers, tag

pytestmark = pytest.mark.usefixtures("images")


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Image]:
    """A small image of its own name, removed at the end."""
    context = tmp_path / "context"
    context.mkdir()
    (context / "data").write_text("one", encoding="utf-8")
    (context / "Dockerfile").write_text(f"FROM {PYTHON}\nARG WHO\nCOPY data /data\n", encoding="utf-8")
    name = f"localhost/adloom-test/{secrets.token_hex(4)}"
    yield Image("small", name, context, context / "Dockerfile", arguments={"WHO": "me"})
    if engine().inspect(name):
        engine().output("rmi", name)


def identity(image: Image) -> str:
    image.build(engine(), {}, pull=False)
    return engine().identity(image.tag)


def test_the_second_build_of_everything_builds_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    before = engine().identity(tag("auth"))

    said = build("--only", "auth")

    assert f"{tag('auth')}: unchanged" in said
    assert " made, " not in said
    assert " built, " not in said
    assert engine().identity(tag("auth")) == before
    with capsys.disabled():
        sys.stdout.write(f"\n  nothing to build: {said.splitlines()[-1]}")


def test_an_image_is_built_again_when_a_byte_changes_and_not_when_a_time_does(image: Image) -> None:
    first = identity(image)
    os.utime(image.context / "data", (0, 0))
    assert identity(image) == first

    (image.context / "data").write_text("two", encoding="utf-8")
    second = identity(image)

    assert second != first
    assert "data" in contents(second).entries


def test_another_argument_or_dockerfile_builds_it_again(image: Image) -> None:
    first = identity(image)

    image.arguments["WHO"] = "you"
    second = identity(image)
    image.dockerfile.write_text(image.dockerfile.read_text(encoding="utf-8") + "ENV WHO=$WHO\n", encoding="utf-8")
    third = identity(image)

    assert len({first, second, third}) == 3


def test_a_build_that_failed_is_not_taken_for_done(image: Image) -> None:
    good = image.dockerfile.read_text(encoding="utf-8")
    image.dockerfile.write_text(good + "RUN exit 3\n", encoding="utf-8")
    with pytest.raises(Exception, match="could not be built"):
        identity(image)
    assert engine().inspect(image.tag) is None

    image.dockerfile.write_text(good, encoding="utf-8")
    assert identity(image)


def test_a_debian_package_that_a_function_names_is_installed_and_leaves_no_lists(tmp_path: Path) -> None:
    """The argument by which faas-cli hands over what a function names."""
    name = f"localhost/adloom-test/{secrets.token_hex(4)}"
    from infra.images import machine
    from infra.images.build import image as image_of

    auth = image_of("auth")
    arguments = {**auth.arguments, "ADDITIONAL_PACKAGE": "fonts-dejavu-mono libyaml-0-2"}
    wanted = Image("fonts", name, auth.context, auth.dockerfile, "app", arguments)
    try:
        wanted.build(engine(), machine.write_secrets(tmp_path / "secrets"), pull=False)
        found = contents(name).entries
    finally:
        if engine().inspect(name):
            engine().output("rmi", name)

    assert "usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf" in found
    assert [path for path in found if path.endswith("/libyaml-0.so.2")]
    assert not [path for path in found if path.startswith("var/lib/apt/lists/") and path.count("/") > 4]
    assert not [path for path in contents(tag("auth")).entries if "dejavu" in path]


def test_what_a_step_is_told_in_secret_is_in_no_layer_and_not_in_the_history(image: Image, tmp_path: Path) -> None:
    word = secrets.token_hex(16)
    (tmp_path / "settings").write_text(f"export PIP_INDEX_URL=https://user:{word}@packages.example\n", encoding="utf-8")
    image.dockerfile.write_text(
        f"FROM {PYTHON}\n"
        "RUN --mount=type=secret,id=build-settings . /run/secrets/build-settings;"
        ' test "$(echo $PIP_INDEX_URL | wc -c)" -gt 60 && echo done > /proof\n',
        encoding="utf-8",
    )

    image.build(engine(), {"build-settings": tmp_path / "settings"}, pull=False)

    found = list(layers(image.tag))
    assert b"done\n" in [layer.content for layer in found if layer.path == "proof"]
    assert not [layer.path for layer in found if word.encode() in layer.content]
    assert not [layer.path for layer in found if b"packages.example" in layer.content]
