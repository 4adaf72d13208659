"""Send e-mails and webhooks about bookings; for cron."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from booking import notices


class Command(BaseCommand):
    help = (
        "Send the notices that are due. What fails is tried again by later runs, with longer and"
        " longer pauses. Safe to run often, in two places at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--again", action="store_true", help="also what was given up after too many failures"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["again"]:
            notices.try_again()
        done = notices.send_due()
        self.stdout.write(f"{done.sent} sent, {done.failed} failed")
