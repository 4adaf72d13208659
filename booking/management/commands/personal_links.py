"""For a mailing: a personal link for each flat of a list."""

from __future__ import annotations

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone

from booking.personal_link import PersonalLink


class Command(BaseCommand):
    help = (
        "Read lines of house,flat (CSV without a header, the CRM's id of the house and its number"
        " of the flat) and print each with its personal link. Asks the CRM nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--category",
            choices=settings.BOOKING_CATEGORIES,
            default=settings.BOOKING_CATEGORIES[0],
            help="what kind of property the list holds (default: %(default)s)",
        )
        parser.add_argument(
            "--days", type=int, help="for how many days from today the links open (default: always)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SITE_URL:
            raise CommandError("Set SITE_URL: the links must say where the site is.")
        days = options["days"]
        if days is not None and days < 1:
            raise CommandError("--days must be 1 or more.")
        until = timezone.localdate() + timedelta(days) if days else None
        # All of them are read before the first is written: half a list would be sent as a whole.
        links = [
            PersonalLink(category=options["category"], house_id=house, flat=flat, until=until)
            for house, flat in list(_flats(sys.stdin))
        ]
        lines = csv.writer(self.stdout, lineterminator="\n")
        lines.writerows((link.house_id, link.flat, _url(link)) for link in links)


def _flats(file: TextIO) -> Iterator[tuple[str, str]]:
    """House and flat of each line; a number is taken exactly as it stands there."""
    lines = csv.reader(file)
    for cells in lines:
        if not cells:
            continue
        # The first line of a file from a spreadsheet may begin with a mark that nobody sees.
        cells[0] = cells[0].removeprefix("\ufeff").strip()
        if len(cells) != 2 or not all(cells):
            raise CommandError(f"Line {lines.line_num} is not house,flat.")
        yield cells[0], cells[1]


def _url(link: PersonalLink) -> str:
    return settings.SITE_URL + reverse("booking:open_link", args=[link.token()])
