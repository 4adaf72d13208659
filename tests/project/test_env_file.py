"""The .env file."""

import os
import sys

import environ
import pytest

from config.environment import Environment
from tests.variables import ROOT

PYTHON = [sys.executable, "-W", "error"]
MANAGE = [*PYTHON, "manage.py"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
GUNICORN = [sys.executable, "-m", "gunicorn", "config.wsgi"]


# The .env file


@pytest.fixture
def env_file(tmp_path, monkeypatch):
    """Reads a text as .env; what it adds to the process is taken back afterwards."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.setattr(environ.Env, "ENVIRON", os.environ)

    def read(text: str | bytes) -> Environment:
        path = tmp_path / ".env"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Environment(path)

    return read


def test_a_missing_file_is_nothing_to_speak_of(tmp_path, caplog):
    found = Environment(tmp_path / ".env")

    assert found.problems == []
    assert caplog.records == []


def test_the_process_wins_over_the_file(env_file, monkeypatch):
    monkeypatch.setitem(os.environ, "KH_BOTH", "process")

    found = env_file("KH_BOTH=file\nKH_FILE='file #1'\n# a comment\n\nexport KH_THIRD=x\n")

    assert found.problems == []
    assert found.required("KH_BOTH", str, "") == "process"
    assert found.required("KH_FILE", str, "") == "file #1"
    assert found.required("KH_THIRD", str, "") == "x"


def test_a_value_with_a_dollar_is_not_another_variable(env_file):
    found = env_file("KH_SECRET=$KH_SECRET\n")

    assert found.required("KH_SECRET", str, "") == "$KH_SECRET"


def test_a_line_that_is_no_assignment_is_named_but_not_shown(env_file, caplog, capfd):
    found = env_file("KH_ONE=1\nKH_SECRET = hush\n")

    assert found.problems == [".env, line 2, is not NAME=value."]
    assert "hush" not in caplog.text + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("content", "count"),
    [
        pytest.param(b"\xef\xbb\xbfKH_MARKED=1\r\n", 0, id="as Windows saves it"),
        pytest.param("KH_NAME=Ключи".encode("cp1251"), 1, id="not UTF-8"),
    ],
)
def test_the_file_of_an_editor_of_another_kind(env_file, content, count):
    assert len(env_file(content).problems) == count


def test_a_folder_in_the_place_of_the_file_is_a_problem(tmp_path):
    (tmp_path / ".env").mkdir()

    assert len(Environment(tmp_path / ".env").problems) == 1
