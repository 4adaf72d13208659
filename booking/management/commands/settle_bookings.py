"""Settle overdue bookings as in doubt, collect evidence, look after the waiting list; for cron."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from booking import services


class Command(BaseCommand):
    help = (
        "Turn bookings left in sending past their deadline to in doubt, and look whether the time"
        " of each booking in doubt is still free. Safe to run often, in two places at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        settled = services.settling.settle_overdue()
        looked_at = services.settling.collect_missing_evidence()
        self.stdout.write(f"{len(settled)} became in doubt, {len(looked_at)} looked at again")
        if told := services.visit_requests.tell_of_free_times():
            self.stdout.write(f"{len(told)} told of a free time")
