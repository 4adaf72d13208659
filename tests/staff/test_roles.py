"""What each role may see and do."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse

from booking import retention, roles
from booking.models import Booking, StaffEvent
from tests.bookings import asked_to_cancel, booking, done_with_bookings, page_of, staff
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
QUEUE = f"{LOG}needs-a-look/"
SHEET = f"{LOG}day-sheet/"


class TestRoles:
    def test_managers_may_all_that_operators_may_and_more(self):
        def may(name: str) -> set[str]:
            permissions = Group.objects.get(name=name).permissions
            return set(permissions.values_list("codename", flat=True))

        assert may("operators") < may("managers")
        assert may("managers") - may("operators") >= {"view_whole_phone", "export_booking"}
        assert not {name for name in may("managers") if name.startswith("delete_")}

    def test_operators_see_masked_phones_only(self, operator):
        made = booking()

        for path in (LOG, page_of(made)):
            page = text_of(operator.get(path))
            assert "45-67" in page
            assert "9001234567" not in page.replace(" ", "").replace("-", "")

    @pytest.mark.parametrize(
        "lookup", ["phone__startswith", "phone", "key__gte", "events__facts__icontains", "follows"]
    )
    def test_what_is_masked_cannot_be_probed(self, operator, lookup):
        booking()

        assert operator.get(LOG, {lookup: "+7900"}).status_code == 400

    def test_a_group_that_somebody_changed_is_left_alone(self):
        group = Group.objects.get(name="operators")
        group.permissions.clear()
        roles.make_groups()

        assert not group.permissions.exists()

    @pytest.mark.parametrize("role", ["operators", "managers", "superuser"])
    def test_nobody_changes_or_deletes_evidence(self, admin_client, role):
        client = admin_client if role == "superuser" else staff("x", role)
        made = booking()
        request = asked_to_cancel(made)
        entry = StaffEvent.objects.create(by="x", kind="exported")

        for row in (made, request, entry):
            name = row._meta.model_name
            for action in ("change", "delete"):
                url = reverse(f"admin:booking_{name}_{action}", args=[row.pk])
                assert client.post(url, {"post": "yes", "by": "y"}).status_code == 403
            assert client.get(reverse(f"admin:booking_{name}_add")).status_code == 403
        assert Booking.objects.exists()


class TestWhoSawWholePhones:
    def test_is_written_down_page_by_page(self, manager):
        made = booking()
        manager.get(LOG, {"q": "8 900 123-45-67", "state": "expected"})
        manager.get(page_of(made))

        page, entry, search = done_with_bookings()
        assert {page.by, entry.by, search.by} == {"mark"}
        assert entry.facts["phones"] == 1
        assert entry.facts["filters"]["state"] == "expected"
        assert "123" not in entry.facts["filters"]["q"]

    def test_is_written_down_however_the_address_is_spelled(self, manager):
        made = booking()

        page = text_of(manager.get(f"{LOG}_2B{made.pk}/change/"))

        assert made.reference in page
        assert done_with_bookings().get().facts["phones"] == 1

    def test_counts_no_phone_that_is_gone(self, manager):
        made = booking()
        retention.anonymise_booking(made)
        manager.get(LOG)
        manager.get(SHEET)
        manager.get(page_of(made))

        assert not done_with_bookings().exists()

    def test_counts_no_page_that_was_refused(self, django_user_model):
        user = django_user_model.objects.create_user("x", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename="view_whole_phone"))
        client = Client()
        client.force_login(user)

        assert client.get(page_of(booking())).status_code == 403
        assert not done_with_bookings().exists()

    @pytest.mark.parametrize(
        "said",
        [
            "8 (900) 123-45-67",
            "лесной 9001234567",
            "8(900)123-45-67 лесной",
            "8 900 123-45-67 Иван",
            "+79001234567,+79001234567",
            "x9001234567 лесной",
        ],
    )
    def test_keeps_no_phone_that_was_searched_for(self, manager, said):
        booking()
        manager.get(LOG, {"q": said})
        manager.get(f"{LOG}export.csv", {"q": said}).getvalue()

        kept = str([each.facts for each in done_with_bookings()])
        assert "9001234567" not in re.sub(r"\D", "", kept)
        assert ("лесной" in kept) == ("лесной" in said)

    def test_nobody_saw_what_was_masked_or_not_there(self, operator, manager):
        manager.get(LOG)
        booking()
        operator.get(LOG)

        assert not done_with_bookings().exists()

    def test_cannot_be_undone(self, manager):
        booking()
        manager.get(LOG)
        entry = done_with_bookings().get()

        with pytest.raises(TypeError, match="append-only"):
            entry.save()
        with pytest.raises(TypeError, match="append-only"):
            entry.delete()
        with pytest.raises(TypeError, match="append-only"):
            StaffEvent.objects.all().delete()
