"""What each kind of answer tells browsers and caches: the table behind docs/headers.md.

`python -m tests.headers` writes the guide anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.variables import ROOT

GUIDE = ROOT / "docs" / "headers.md"

FOR_EVERY_ANSWER = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(),"
        " geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(),"
        " publickey-credentials-get=(), screen-wake-lock=(), usb=(), xr-spatial-tracking=()"
    ),
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BRAND_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
NO_STORE = "max-age=0, no-cache, no-store, must-revalidate, private"
A_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Row:
    """`when` is what has to be so before; the test has a fixture of this name for it."""

    request: str
    status: int
    may_keep: str = NO_STORE
    when: str = ""
    policy: str = FOR_EVERY_ANSWER["Content-Security-Policy"]

    def __str__(self) -> str:
        return f"{self.request} {self.status} {self.when}".strip()

    @property
    def headers(self) -> dict[str, str]:
        return FOR_EVERY_ANSWER | {
            "Content-Security-Policy": self.policy,
            "Cache-Control": self.may_keep,
        }


TABLE = (
    Row("GET /", 200),
    Row("GET /time/?<answers>", 200),
    Row("GET /time/", 302),
    Row("GET /time/days/?<answers>", 200),
    Row("GET /confirm/?<answers>", 200),
    Row("GET /confirm/", 302),
    Row("POST /confirm/", 302, when="the form is complete"),
    Row("POST /confirm/", 200, when="the consent is missing"),
    Row("GET /bookings/<key>/", 200),
    Row("GET /bookings/<key>/calendar.ics", 200),
    Row("GET /b/<short key>/", 302),
    Row("POST /bookings/<key>/change/", 302, when="the wish is complete"),
    Row("GET /bookings/<key>/change/", 302),
    Row("GET /bookings/<key>/move/", 200),
    Row("GET /bookings/<key>/another/?category=garage", 302),
    Row("POST /bookings/<key>/move/", 200),
    Row("POST /bookings/<key>/again/", 302),
    Row("GET /requests/", 200),
    Row("POST /requests/", 200),
    Row("GET /find/", 200),
    Row("POST /find/", 302, when="number and phone fit"),
    Row("POST /find/", 422, when="number and phone do not fit"),
    Row("POST /find/", 429, when="the searches are too many"),
    Row("GET /accessibility/", 200, "no-store"),
    Row("GET /healthz/", 200),
    Row("GET /readyz/", 200),
    Row("GET /", 400, "no-store", when="the host is another"),
    Row("POST /confirm/", 403, when="the form is of another site"),
    Row("POST /bookings/<key>/change/", 403, when="the form is of another site"),
    Row("POST /admin/login/", 403, "no-store", when="the page is of another login"),
    Row("POST /", 405, "no-store", when="the page is of another login"),
    Row("GET /nowhere/", 404, "no-store"),
    Row("GET /bookings/00000000-0000-0000-0000-000000000000/", 404, "no-store"),
    Row("PUT /confirm/", 405),
    Row("POST /confirm/", 413, "no-store", when="the form is too large"),
    Row("POST /confirm/", 429, when="the limit is reached"),
    Row("GET /", 500, "no-store", when="something is broken"),
    Row("GET /", 503, "no-store", when="the site is full"),
    Row("GET /", 503, "no-store", when="the CRM is away"),
    Row("GET /bookings/<key>/", 503, "no-store", when="the journal is away"),
    Row("GET /time", 301, "no-store"),
    Row("GET /admin/", 302),
    Row("GET /admin/login/", 200),
    Row("POST /admin/login/", 429, when="the account must wait"),
    Row("GET /admin/", 200, when="staff are logged in"),
    Row("GET /admin/booking/booking/", 200, when="staff are logged in"),
    Row("GET /admin/booking/booking/export.csv", 200, when="staff are logged in"),
    Row("GET /favicon.ico", 302, "no-store"),
    Row("GET /brand/<hashed>", 200, A_YEAR, "the brand has a colour", BRAND_POLICY),
    Row("GET /brand/<hashed>", 200, A_YEAR, "the brand has a logo", BRAND_POLICY),
    Row("GET /static/css/site.css", 200, "max-age=3600, public"),
    Row(
        "GET /static/css/<hashed>",
        200,
        "max-age=315360000, public, immutable",
        when="files are collected",
    ),
)


def guide() -> str:
    everywhere = "\n".join(f"* `{name}: {value}`" for name, value in FOR_EVERY_ANSWER.items())
    rows = "\n".join(map(_line, TABLE))
    return f"""# What each answer tells browsers and caches

Written by `python -m tests.headers`; `tests/middleware/test_hardening.py` asks for every row and
compares all of it, so it can't go stale. Every answer, whichever part of the site it comes from,
has

{everywhere}
* `X-Request-ID`, and never `Access-Control-Allow-Origin`.

`Strict-Transport-Security` needs `SECURE_SSL_REDIRECT`, and is told only over HTTPS. Nothing may be
kept but files that are the same for everybody. Cookies are `HttpOnly`, `SameSite=Lax` and, behind
HTTPS, `Secure`: `lang`, `bookings` and `phone` of a buyer, whose browser need not keep them, and
`csrftoken`, `sessionid` and `known_browser` of staff.

| Request | when | Status | Cache-Control | Strict-Transport-Security | frames |
| --- | --- | --- | --- | --- | --- |
{rows}

The files of a brand have a policy of their own, `{BRAND_POLICY}`: programs write drawings with
their styles inside.
"""


def _line(row: Row) -> str:
    frames = row.headers["X-Frame-Options"]
    https = row.headers["Strict-Transport-Security"]
    cells = (f"`{row.request}`", row.when, row.status, f"`{row.may_keep}`", f"`{https}`", frames)
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    GUIDE.write_text(guide(), "utf-8")
