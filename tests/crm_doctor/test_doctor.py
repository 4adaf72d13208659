"""`manage.py crm_doctor` against the stand-in, ill in one way after the other."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme
from django.core.management import call_command
from pytest_django.fixtures import Settings

from booking import models
from standin import ACCEPTED_PHONE, StandIn
from tests import bookings
from tests.variables import ROOT, environment
from tests.wire import Answer, Bytes, Hang, HangUp, Wire, closed_port

pytestmark = pytest.mark.django_db

CYRILLIC = "мой-дом.рф"
PUNYCODE = "xn----htbnldid.xn--p1ai"
TOKEN = re.compile(r"\b[0-9a-f]{32}\b")

HOUSES = (
    '{"status_code":200,"data":{"houses":[{"id":"7","title":"Дом","flats":["%s"]}]},"message":""}'
)
TIMES = '{"status_code":200,"data":["09:00","09:30","11:00"],"message":""}'


class Diagnosis:
    """What one run of the command has said."""

    def __init__(self, text: str, status: int) -> None:
        self.text = text
        self.status = status
        self.checks = json.loads(text)["checks"]
        self.verdict = json.loads(text)["verdict"]

    def of(self, check: str) -> tuple[str, str]:
        """The verdict, and what was seen and advised."""
        found = [row for row in self.checks if row["check"] == check]
        assert len(found) == 1, f"{check}: {found}"
        return found[0]["verdict"], f"{found[0]['seen']} -> {found[0]['advice']}"

    def wrong(self) -> list[str]:
        return [row["check"] for row in self.checks if row["verdict"] == "wrong"]


def run(*arguments: str) -> tuple[str, int]:
    output = StringIO()
    try:
        call_command("crm_doctor", *arguments, stdout=output, no_color=True)
    except SystemExit as stop:
        return output.getvalue(), int(str(stop.code))
    return output.getvalue(), 0


def diagnosis() -> Diagnosis:
    """One run. None may show the secret or a token, whatever it is run against."""
    text, status = run("--json")
    assert "example-secret" not in text
    assert not TOKEN.search(text)
    return Diagnosis(text, status)


@pytest.fixture(autouse=True)
def _books_nothing(standin: StandIn) -> Iterator[None]:
    yield
    assert standin.count("add") == 0
    assert standin.ledger == []


@pytest.fixture
def real(settings: Settings) -> Iterator[Wire]:
    """A CRM without the stand-in's mark, all well."""
    with Wire(Answer(status=404)) as wire:
        lists = [Answer(body=(HOUSES % number).encode()) for number in ("1", "2", "3", "4", "5")]
        wire.serve(*lists, on="getReadyFlats")
        wire.serve(Answer(body=TIMES.encode()), on="getFreeTimes")
        settings.MACROCRM_URL = wire.url
        yield wire


# All is well


def test_a_real_crm_that_is_well_gets_no_complaint(real: Wire) -> None:
    found = diagnosis()

    assert (found.verdict, found.status) == ("ok", 0)
    assert [row["check"] for row in found.checks] == [
        "configuration",
        "proxies",
        "DNS",
        "TLS",
        "reachability",
        "clock",
        "signature",
        "domain",
        "who answers",
        "category flat",
        "category garage",
        "category storageroom",
        "category comm",
        "category filter",
        "same numbers",
        "look-alikes",
        "free times",
        "method",
    ]
    assert {received.method for received in real.received} == {"", "getReadyFlats", "getFreeTimes"}


@pytest.mark.parametrize(
    ("addresses", "verdict", "seen"),
    [
        ([], "ok", "0 addresses of the latest 0 bookings"),
        (["93.184.216.34", "93.184.216.35"] * 15, "ok", "2 addresses of the latest 30 bookings"),
        (["93.184.216.34"] * 19, "ok", "1 addresses of the latest 19 bookings"),
        (["93.184.216.34"] * 20, "warning", "each of the latest 20 bookings came from one address"),
        (["10.0.0.2", "93.184.216.34"], "warning", "1 of the latest 2 bookings came from inside"),
        (["10.0.0.2"] + ["93.184.216.34", "93.184.216.35"] * 25, "ok", "of the latest 50 bookings"),
    ],
)
def test_the_journal_tells_whether_the_number_of_proxies_fits(
    standin: StandIn, addresses: list[str], verdict: str, seen: str
) -> None:
    for address in addresses:
        bookings.booking(outcome="refused", client_address=address)

    found = diagnosis().of("proxies")

    assert found[0] == verdict
    assert seen in found[1]
    assert ("Set TRUSTED_PROXIES" in found[1]) is (verdict == "warning")
    assert "93.184" not in found[1]


def test_the_stand_in_is_not_taken_for_a_real_crm(standin: StandIn) -> None:
    found = diagnosis()

    assert (found.of("who answers")[0], found.status) == ("warning", 1)
    assert "stand-in" in found.of("who answers")[1]


def test_a_look_at_the_host_carries_no_signature(real: Wire) -> None:
    diagnosis()

    assert real.received[0].head.startswith("GET / HTTP/1.1")
    assert real.received[0].body == b""


# Configuration


def test_a_wrong_configuration_is_told_and_nothing_is_asked(
    standin: StandIn, settings: Settings
) -> None:
    settings.CONFIGURATION_PROBLEMS = ("MACROCRM_DOMAIN is not set.",)

    found = diagnosis()

    assert (found.wrong(), found.status) == (["configuration"], 2)
    assert "MACROCRM_DOMAIN is not set." in found.of("configuration")[1]
    assert standin.requests == []


def test_quotation_marks_that_came_along_are_noticed(settings: Settings) -> None:
    settings.MACROCRM_APP_SECRET = '"example-secret"'

    found = diagnosis()

    assert "MACROCRM_APP_SECRET stands in quotation marks" in found.text
    assert found.wrong() == ["signature"]


# The line


def test_a_host_without_a_name_is_told(settings: Settings) -> None:
    settings.MACROCRM_URL = "https://crm.invalid"

    found = diagnosis()

    assert (found.wrong(), found.status) == (["DNS"], 2)
    assert found.of("everything else")[0] == "not checked"


def test_a_server_that_does_not_run_is_told(standin: StandIn, settings: Settings) -> None:
    settings.MACROCRM_URL = f"http://127.0.0.1:{closed_port()}"

    found = diagnosis()

    assert (found.wrong(), found.status) == (["reachability"], 2)
    assert "refused" in found.of("reachability")[1]


@pytest.mark.parametrize("behaviour", [Hang(), HangUp(), Bytes(b"220 mail\r\n\r\n")])
def test_a_host_that_speaks_no_http_is_told_in_time(behaviour, settings: Settings) -> None:
    settings.MACROCRM_READ_TIMEOUT = 0.2
    with Wire(behaviour) as wire:
        settings.MACROCRM_URL = wire.url

        found = diagnosis()

    assert found.of("reachability")[0] == "warning"
    assert {"signature", "category flat", "method"} <= set(found.wrong())


@pytest.mark.parametrize(("error", "side"), [(90, "behind"), (-3600, "ahead of")])
def test_a_clock_that_is_wrong_is_told(standin: StandIn, error: int, side: str) -> None:
    standin.switch(clock_skew=error)

    verdict, told = diagnosis().of("clock")

    seconds = re.search(rf"clock is (\d+) s {side} the CRM's", told)
    assert verdict == "warning"
    assert seconds
    # The header knows whole seconds only.
    assert abs(int(seconds[1]) - abs(error)) <= 2


def test_a_wrong_clock_is_the_first_suspect_for_a_refused_signature(standin: StandIn) -> None:
    standin.switch(clock_skew=200_000)

    found = diagnosis()

    assert (found.wrong(), found.status) == (["signature"], 2)
    assert "-> Set this machine's clock first" in found.of("signature")[1]


# TLS


@pytest.fixture
def authority(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> trustme.CA:
    """A certificate authority that the site trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "bundle.pem")
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "bundle.pem"))
    return authority


def over_tls(certificate: trustme.LeafCert, settings: Settings) -> tuple[Wire, Diagnosis]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with Wire(Answer(body=(HOUSES % "1").encode()), tls=context) as wire:
        settings.MACROCRM_URL = wire.url
        return wire, diagnosis()


def test_a_trusted_certificate_is_described(authority: trustme.CA, settings: Settings) -> None:
    _, found = over_tls(authority.issue_cert("127.0.0.1"), settings)

    verdict, told = found.of("TLS")
    assert verdict == "ok"
    assert re.search(r"TLSv1\.\d, certificate by trustme.*, \d+ days left", told)
    assert found.of("signature")[0] == "ok"


def test_a_certificate_about_to_run_out_is_a_warning(
    authority: trustme.CA, settings: Settings
) -> None:
    soon = datetime.now(UTC) + timedelta(days=3, hours=1)

    _, found = over_tls(authority.issue_cert("127.0.0.1", not_after=soon), settings)

    assert found.of("TLS")[0] == "warning"
    assert "3 days left" in found.of("TLS")[1]


@pytest.mark.parametrize("case", ["untrusted", "of another host", "ran out"])
def test_nothing_signed_goes_to_a_certificate_that_is_not_to_be_trusted(
    case: str, authority: trustme.CA, settings: Settings
) -> None:
    certificate = {
        "untrusted": trustme.CA().issue_cert("127.0.0.1"),
        "of another host": authority.issue_cert("crm.example.test"),
        "ran out": authority.issue_cert("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
    }[case]

    wire, found = over_tls(certificate, settings)

    assert (found.wrong(), found.status) == (["TLS"], 2)
    assert wire.received == []


# The signature and the domain


@pytest.mark.parametrize(("configured", "registered"), [(CYRILLIC, PUNYCODE), (PUNYCODE, CYRILLIC)])
def test_the_other_spelling_of_a_cyrillic_domain_is_found_and_named(
    configured: str, registered: str, settings: Settings
) -> None:
    settings.MACROCRM_DOMAIN = configured
    with StandIn(domain=registered) as crm:
        settings.MACROCRM_URL = crm.url

        found = diagnosis()

    assert (found.wrong(), found.status) == (["signature"], 2)
    assert found.of("signature")[1].endswith(f"-> Set MACROCRM_DOMAIN={registered}.")
    # What follows is looked at with the right spelling.
    assert found.of("category flat")[0] == found.of("free times")[0] == "ok"


@pytest.mark.parametrize("registered", [CYRILLIC, PUNYCODE])
def test_a_cyrillic_domain_that_is_spelt_right_is_shown_with_its_spelling(
    registered: str, settings: Settings
) -> None:
    settings.MACROCRM_DOMAIN = registered
    with StandIn(domain=registered) as crm:
        settings.MACROCRM_URL = crm.url

        verdict, told = diagnosis().of("domain")

    assert verdict == "ok"
    assert CYRILLIC in told
    assert PUNYCODE in told


@pytest.mark.parametrize(
    ("configured", "oddity"),
    [
        ("Example.test", "capital letters"),
        ("www.example.test", "www"),
        ("example.test.", "dot"),
        ("мои\N{COMBINING BREVE}-дом.рф", "composed"),
    ],
)
def test_a_refused_domain_is_looked_at_for_what_may_be_odd(
    configured: str, oddity: str, settings: Settings
) -> None:
    settings.MACROCRM_DOMAIN = configured

    found = diagnosis()

    assert found.of("domain")[0] == "warning"
    assert oddity in found.of("domain")[1]
    assert found.of("signature")[0] == "wrong"


def test_a_domain_registered_with_www_is_well(settings: Settings) -> None:
    settings.MACROCRM_DOMAIN = "www.example.test"
    with StandIn(domain="www.example.test") as crm:
        settings.MACROCRM_URL = crm.url

        assert diagnosis().of("domain")[0] == "ok"


@pytest.mark.parametrize("form", ["in body", "mirrored", "yii", "error flag"])
def test_a_wrong_secret_is_told_whichever_way_the_crm_refuses(
    form: str, standin: StandIn, settings: Settings
) -> None:
    settings.MACROCRM_APP_SECRET = "another-example-secret"
    standin.switch(refusals=form)

    text, status = run("--json")

    assert status == 2
    assert "another-example-secret" not in text
    assert "Compare MACROCRM_APP_SECRET" in Diagnosis(text, status).of("signature")[1]
    # An ASCII domain has no other spelling that would be worth a try.
    assert standin.count("getReadyFlats") == 1


def test_a_redirect_is_never_followed_nor_taken_for_a_wrong_spelling(settings: Settings) -> None:
    settings.MACROCRM_DOMAIN = CYRILLIC
    elsewhere = (("Location", "https://elsewhere.example.test/"),)
    with Wire(Answer(status=301, headers=elsewhere)) as wire:
        settings.MACROCRM_URL = wire.url

        found = diagnosis()

    assert "https://elsewhere.example.test/" in found.of("signature")[1]
    assert wire.count("getReadyFlats") == 1


# What the CRM offers


def test_each_category_is_counted(standin: StandIn, settings: Settings) -> None:
    settings.BOOKING_CATEGORIES = ["flat", "garage"]

    found = diagnosis()

    assert found.of("category flat")[1].startswith("houses: 5, flats: 715")
    assert found.of("category garage")[1].startswith("houses: 2, flats: 72")
    assert "category comm" not in found.text


def test_a_category_that_fails_does_not_hide_the_others(real: Wire) -> None:
    answers = [Answer(body=(HOUSES % number).encode()) for number in ("1", "2", "3", "4")]
    declined = Answer(body='{"status_code":400,"message":"Неизвестная категория"}'.encode())
    real.serve(*answers[:2], declined, *answers[2:], on="getReadyFlats")

    found = diagnosis()

    assert (found.wrong(), found.status) == (["category garage"], 2)
    assert "Неизвестная категория" in found.of("category garage")[1]


def test_an_empty_category_is_no_fault_but_nothing_at_all_is(settings: Settings) -> None:
    with StandIn(houses=[]) as crm:
        settings.MACROCRM_URL = crm.url

        found = diagnosis()

    assert found.of("category flat") == ("ok", "nothing is ready -> ")
    assert found.of("category filter")[0] == "warning"
    assert found.of("free times")[0] == "not checked"


def test_a_crm_that_does_not_filter_is_noticed(real: Wire) -> None:
    real.serve(Answer(body=(HOUSES % "1").encode()), on="getReadyFlats")

    verdict, told = diagnosis().of("category filter")

    assert verdict == "warning"
    assert "flat and garage" in told


def test_the_same_numbers_in_two_categories_are_mentioned(standin: StandIn) -> None:
    verdict, told = diagnosis().of("same numbers")

    assert verdict == "ok"
    assert told.startswith("12 stand in several categories, such as «1» in house 3105027")


def test_numbers_that_look_alike_are_shown(standin: StandIn) -> None:
    verdict, told = diagnosis().of("look-alikes")

    assert verdict == "warning"
    assert told.startswith("«К-7» and «K-7» in house 3105034")


@pytest.mark.parametrize("encoding", ["notice", "windows-1251"])
def test_an_odd_shape_that_can_be_read_is_a_warning(encoding: str, standin: StandIn) -> None:
    standin.switch(encoding=encoding)

    found = diagnosis()

    assert (found.of("category flat")[0], found.status) == ("warning", 1)


def test_garbage_is_told_without_being_repeated(standin: StandIn) -> None:
    standin.fail("getReadyFlats", "garbage")

    found = diagnosis()

    assert found.status == 2
    assert found.of("category flat")[0] == "wrong"
    assert "garbage" not in found.text


def test_a_crm_that_hangs_costs_its_deadline_and_is_told(
    standin: StandIn, settings: Settings
) -> None:
    settings.MACROCRM_READ_TIMEOUT = 0.2
    standin.fail("getFreeTimes", "hang")

    found = diagnosis()

    assert (found.of("category flat")[0], found.of("free times")[0]) == ("ok", "wrong")
    assert "no complete reply within 0.2 s" in found.of("free times")[1]


# One day


def test_one_working_day_is_asked_for_in_the_houses_zone(standin: StandIn) -> None:
    models.House.objects.create(house_id="3105011", time_zone="Asia/Vladivostok")

    verdict, told = diagnosis().of("free times")

    asked = next(record for record in standin.requests if record.method == "getFreeTimes")
    moment = datetime.fromisoformat(asked.params["transfer_date"])
    assert verdict == "ok"
    assert moment.utcoffset() == timedelta(hours=10)
    assert moment.isoweekday() <= 5
    today = datetime.now(ZoneInfo("Asia/Vladivostok")).date()
    assert 1 <= (moment.date() - today).days <= 4
    assert f"{moment:%Y-%m-%d}, Asia/Vladivostok: " in told


def test_a_day_is_told_by_its_ends_and_its_step(real: Wire) -> None:
    verdict, told = diagnosis().of("free times")

    assert verdict == "ok"
    assert "house 7 «Дом»" in told
    assert "3 free, 09:00 to 11:00, 30 min apart at the closest" in told


@pytest.mark.parametrize(
    ("minutes", "slots", "verdict"),
    [(30, 2, "ok"), (60, 1, "ok"), (60, 2, "warning"), (20, 1, "warning")],
)
def test_another_grid_than_the_sites_is_noticed(
    minutes: int, slots: int, verdict: str, standin: StandIn, settings: Settings
) -> None:
    standin.switch(grid_minutes=minutes)
    settings.BOOKING_VISIT_SLOTS = slots

    found = diagnosis().of("free times")

    assert found[0] == verdict
    assert f"{minutes} min apart" in found[1]


def test_a_day_without_free_time_is_a_reason_to_look(standin: StandIn) -> None:
    standin.switch(closed_weekdays=[1, 2, 3, 4, 5, 6, 7])

    verdict, told = diagnosis().of("free times")

    assert verdict == "warning"
    assert "no free time" in told


# The method


@pytest.mark.parametrize(
    ("configured", "switches", "verdict", "advice"),
    [
        ("POST", {}, "ok", ""),
        ("POST", {"free_times_post": False}, "warning", "MACROCRM_METHOD=GET"),
        ("POST", {"free_times_get": False}, "ok", ""),
        ("GET", {}, "warning", "MACROCRM_METHOD=POST"),
        ("GET", {"free_times_get": False}, "warning", "MACROCRM_METHOD=POST"),
        (
            "POST",
            {"free_times_get": False, "free_times_post": False},
            "wrong",
            "No method works",
        ),
    ],
)
def test_the_methods_that_work_are_found(
    configured: str,
    switches: dict[str, bool],
    verdict: str,
    advice: str,
    standin: StandIn,
    settings: Settings,
) -> None:
    settings.MACROCRM_METHOD = configured
    standin.switch(**switches)

    found = diagnosis().of("method")

    assert found[0] == verdict
    assert advice in found[1]


def test_a_server_that_reads_no_query_is_told_from_a_wrong_secret(
    standin: StandIn, settings: Settings
) -> None:
    settings.MACROCRM_METHOD = "GET"
    standin.switch(query_reads=False)

    found = diagnosis()

    assert found.wrong() == ["signature"]
    assert found.of("signature")[1].endswith("-> Set MACROCRM_METHOD=POST.")


# What it shows


def test_a_crm_that_repeats_what_it_got_gives_nothing_away(real: Wire) -> None:
    token = "0123456789abcdef" * 2
    title = f"example-secret {token} {ACCEPTED_PHONE}"
    body = (HOUSES % "1").replace("Дом", title).encode()
    real.serve(Answer(body=body), on="getReadyFlats")
    real.serve(Answer(status=401, body=f'{{"message":"{title}"}}'.encode()), on="getFreeTimes")

    text, status = run()

    assert status == 2
    assert not [
        canary for canary in ("example-secret", token, ACCEPTED_PHONE[2:]) if canary in text
    ]


def test_the_table_fits_its_page_and_says_what_to_do(
    standin: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    settings.MACROCRM_APP_SECRET = "another-example-secret"

    text, status = run()

    lines = text.splitlines()
    assert status == 2
    assert max(map(len, lines)) <= 80
    assert next(line for line in lines if line.startswith("wrong")).split()[1] == "signature"
    assert " " * 35 + "-> Compare MACROCRM_APP_SECRET with what" in lines
    assert lines[-1] == "All in all: wrong. Nothing was booked."
    assert "\x1b" not in text


def test_as_a_process_it_needs_neither_a_database_nor_a_whole_configuration(
    standin: StandIn, tmp_path: Path
) -> None:
    command = [sys.executable, "manage.py", "crm_doctor"]
    variables = environment(
        MACROCRM_URL=standin.url, DATABASE_URL=f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    )
    base = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    def doctor(**changes: str) -> subprocess.CompletedProcess[str]:
        env = base | variables | changes
        return subprocess.run(
            command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
        )

    whole, broken = doctor(), doctor(SECRET_KEY="", MACROCRM_APP_SECRET="")

    assert (whole.returncode, whole.stderr) == (1, "")
    assert re.search(r"^ok +free times +house 3105011 ", whole.stdout, re.MULTILINE)
    assert (broken.returncode, broken.stderr) == (2, "")
    assert broken.stdout.count("is not set.") == 2
