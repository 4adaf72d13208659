"""`manage.py standin`: the stand-in CRM as a process of its own, until SIGINT or SIGTERM."""

from __future__ import annotations

import errno
import json
import signal
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from standin import ACCEPTED_PHONE, REFUSED_PHONE, StandIn, fixtures

STOPPING = {signal.SIGINT, signal.SIGTERM}
# What a demonstration looks like; a stand-in of a test is open every day and has all times free.
LIVELY: dict[str, Any] = {"busy": 0.3, "closed_weekdays": [7]}


class Command(BaseCommand):
    help = "Serve the stand-in CRM for a demonstration, a trial or a measurement."
    # It must be able to start before the site's own configuration is complete.
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
        parser.add_argument("--domain", default=settings.MACROCRM_DOMAIN or "example.test")
        parser.add_argument("--secret", default=settings.MACROCRM_APP_SECRET or "example-secret")
        parser.add_argument("--zone", default=settings.TIME_ZONE, help="of the houses, IANA name")
        parser.add_argument("--ledger", type=Path, help="a file that every booking is added to")
        parser.add_argument("--latency", type=float, help="seconds before each answer")
        parser.add_argument("--houses", type=int, help="this many, instead of the sample")
        parser.add_argument("--flats", type=int, default=10, help="of each category in each house")
        parser.add_argument(
            "--switch",
            type=_switch,
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a switch of standin/switches.py; the value is JSON or a bare word",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # Blocked before the server's threads start, so that only `sigwait` gets them.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        crm = _started(options)
        try:
            self._introduce(crm, options)
            signal.sigwait(STOPPING)
        finally:
            crm.stop()
        self.stdout.write("Stand-in CRM stopped.")

    def _introduce(self, crm: StandIn, options: dict[str, Any]) -> None:
        self.stdout.write(f"Stand-in CRM: {crm.url}")
        self.stdout.write(f"  domain {crm.domain}, zone {options['zone']}")
        self.stdout.write(f"  a phone that it accepts for every flat: {ACCEPTED_PHONE}")
        self.stdout.write(f"  a phone that it refuses: {REFUSED_PHONE}")
        self.stdout.write(f"  switches: {crm.url}/_stand-in/switches")
        self.stdout.flush()


def _started(options: dict[str, Any]) -> StandIn:
    try:
        crm = StandIn(
            port=options["port"],
            domain=options["domain"],
            secret=options["secret"],
            zone=options["zone"],
            houses=_houses(options),
            ledger=options["ledger"],
            **_switches(options),
        )
        crm.start()
    except (OSError, OverflowError, ValueError, LookupError) as exc:
        taken = isinstance(exc, OSError) and exc.errno == errno.EADDRINUSE
        why = f"port {options['port']} is taken, choose another with --port" if taken else exc
        raise CommandError(f"The stand-in cannot start: {why}.") from exc
    return crm


def _switches(options: dict[str, Any]) -> dict[str, object]:
    switches = LIVELY | dict(options["switch"])
    if options["latency"] is not None:
        switches["latency"] = options["latency"]
    return switches


def _houses(options: dict[str, Any]) -> tuple[fixtures.House, ...]:
    if options["houses"] is None:
        return fixtures.sample()
    return fixtures.of_size(houses=options["houses"], flats=options["flats"])


def _switch(text: str) -> tuple[str, object]:
    """Read `busy=0`, `refusals=yii` or `closed_weekdays=[6,7]`."""
    name, equals, value = text.partition("=")
    if not equals:
        raise ArgumentTypeError("a switch is written NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
