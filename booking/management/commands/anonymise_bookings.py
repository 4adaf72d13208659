"""Anonymise old bookings; for cron."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from booking import login_limits, retention

MOST_DAYS = 36_500  # calendars end


class Command(BaseCommand):
    help = (
        "Reduce phones and addresses of old bookings to keyed hashes and remove all texts: the"
        " buyer's, staff's and the CRM's. Flat, time and outcome stay, so counts survive."
        " It cannot be undone. The counts of failed searches for a booking and of wrong passwords"
        " are deleted after a day."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            metavar="DAYS",
            default=settings.RETENTION_DAYS,
            help="days since the booking and since its visit (default: RETENTION_DAYS)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count them")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["older_than"]
        if not 1 <= days <= MOST_DAYS:
            raise CommandError(f"--older-than must be 1 or more, and {MOST_DAYS} at most.")
        if options["dry_run"]:
            self._count(days)
        else:
            retention.delete_find_attempts()
            login_limits.delete_old()
            count = retention.anonymise(days, by="anonymise_bookings")
            retention.anonymise_requests(days)
            self.stdout.write(f"{count} anonymised")

    def _count(self, days: int) -> None:
        oldest = retention.oldest(days)
        since = f", the oldest of {oldest:%Y-%m-%d}" if oldest else ""
        self.stdout.write(f"{retention.due(days).count()} would be anonymised{since}")
