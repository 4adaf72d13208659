"""Reduce a request's Content-Type to the type and the boundary of a multipart body.

Django decodes the query by the client's charset while it constructs the request, before any Django
middleware. Python has charsets that can't decode a query ("base64") or whose text can't be encoded
again ("utf-7"). Our forms are UTF-8, so the charset can be dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BOUNDARY = re.compile(r""";\s*boundary=("?)([\w'()+,./:=? -]{1,70})\1\s*(?:;|$)""", re.ASCII)


def plain(content_type: str) -> str:
    """Drop the parameters of a Content-Type, except a multipart's boundary."""
    kind = content_type.partition(";")[0].strip()
    boundary = BOUNDARY.search(content_type)
    return f'{kind}; boundary="{boundary[2]}"' if boundary else kind


class ContentTypeMiddleware:
    """WSGI middleware that makes every Content-Type plain."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = plain(environ["CONTENT_TYPE"])
        return self._application(environ, start_response)
