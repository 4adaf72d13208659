"""What of a request's Content-Type reaches Django: the type, and what parts a multipart body.

Django reads the query by the charset that a client claims, while it is still making the request,
where no middleware can help. Python knows charsets that can't read any query ("base64"), and some
that make text nobody can write again ("utf-7"). Our forms are UTF-8, so no claim is needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

BOUNDARY = re.compile(r""";\s*boundary=("?)([\w'()+,./:=? -]{1,70})\1\s*(?:;|$)""", re.ASCII)


def plain(content_type: str) -> str:
    """A Content-Type without its parameters, except a multipart's boundary."""
    kind = content_type.partition(";")[0].strip()
    boundary = BOUNDARY.search(content_type)
    return f'{kind}; boundary="{boundary[2]}"' if boundary else kind


class ContentTypeMiddleware:
    """A WSGI application in front of which every Content-Type is made plain."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "CONTENT_TYPE" in environ:
            environ["CONTENT_TYPE"] = plain(environ["CONTENT_TYPE"])
        return self._application(environ, start_response)
