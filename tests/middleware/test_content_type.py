"""No Content-Type that a client can think of makes the site fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import RequestFactory

from config.content_type import ContentTypeMiddleware, plain


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("", ""),
        ("text/html", "text/html"),
        ("application/x-www-form-urlencoded; charset=utf-7", "application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=a-1", 'multipart/form-data; boundary="a-1"'),
        ('multipart/form-data; boundary="a b"; charset=x', 'multipart/form-data; boundary="a b"'),
        ("multipart/form-data; charset=x; boundary=a", 'multipart/form-data; boundary="a"'),
        ("multipart/form-data; boundary=", "multipart/form-data"),
        ("multipart/form-data; boundary=я", "multipart/form-data"),
        ("text/plain; charset*=x'y'z", "text/plain"),
        (";;; =", ""),
    ],
)
def test_only_the_type_and_the_boundary_are_kept(sent: str, kept: str) -> None:
    assert plain(sent) == kept


# Reading a query by these fails, or gives text that can't be written again.
CHARSETS = ["charset=base64", "charset=undefined", "charset=idna", "charset=utf-7", "x*=x'y'z"]


def start_nothing(*_args: object) -> Callable[[bytes], object]:
    return len


@pytest.mark.parametrize("parameter", CHARSETS)
def test_the_server_reads_every_query_as_utf_8(parameter: str) -> None:
    def application(environ, start_response):
        request = RequestFactory().get("/", **environ)
        return [request.GET["flat"].encode()]

    environ = {"CONTENT_TYPE": f"text/plain; {parameter}", "QUERY_STRING": "flat=%D0%9A-7+2AA-"}
    assert ContentTypeMiddleware(application)(environ, start_nothing) == ["К-7 2AA-".encode()]


def test_the_application_of_the_server_is_behind_it() -> None:
    from config.wsgi import application

    assert isinstance(application, ContentTypeMiddleware)
