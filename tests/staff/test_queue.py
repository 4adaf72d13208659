"""What needs a look, and what becomes of it; who may do what; who saw whole phones."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from booking import retention, roles, services
from booking.admin import queue
from booking.models import Booking, ChangeRequest, StaffEvent
from tests.bookings import booking, done_with_bookings, staff, tomorrow_at
from tests.journey import text_of

pytestmark = pytest.mark.django_db

LOG = "/admin/booking/booking/"
QUEUE = f"{LOG}needs-a-look/"
SHEET = f"{LOG}day-sheet/"


@pytest.fixture
def operator() -> Client:
    return staff("olga", "operators")


@pytest.fixture
def manager() -> Client:
    return staff("mark", "managers")


def page_of(made: Booking) -> str:
    return reverse("admin:booking_booking_change", args=[made.pk])


def asked_to_cancel(made: Booking) -> ChangeRequest:
    return made.change_requests.create(kind="cancel", wish="Заболел")


class TestTheQueue:
    def test_shows_all_that_waits_for_a_person(self, operator):
        doubtful = booking(outcome="in_doubt", reason="no_answer", flat="1")
        request = asked_to_cancel(booking(flat="2"))
        refused = [
            booking(outcome="refused", reason="no_match", flat="3", phone=f"+7900123456{digit}")
            for digit in range(3)
        ]

        page = text_of(operator.get(QUEUE))

        assert reverse("admin:booking_booking_resolve", args=[doubtful.pk]) in page
        assert reverse("admin:booking_changerequest_answer", args=[request.pk]) in page
        assert refused[-1].reference in page
        assert "9001234567" not in page
        assert queue.counts() == queue.Counts(
            in_doubt=1, twice=0, requests=1, visit_requests=0, repeated=1
        )

    def test_the_front_page_counts_it(self, operator):
        booking(outcome="in_doubt")

        page = text_of(operator.get("/admin/"))

        assert QUEUE in page
        assert "под вопросом: 1, просьб: 0" in page

    def test_shows_both_visits_of_a_flat_whose_doubt_was_a_visit_after_all(self, operator):
        doubtful = booking(outcome="in_doubt", reason="no_answer")
        beside = booking(phone="+79007654321", starts_at=tomorrow_at(9))
        booking(flat="2")
        assert queue.counts().twice == 0

        url = reverse("admin:booking_booking_resolve", args=[doubtful.pk])
        operator.post(url, {"was_booked": "yes", "note": "Есть в CRM"})

        page = text_of(operator.get(QUEUE))
        shown = page.partition('id="twice"')[2].partition("</table>")[0]
        assert re.findall(r"<a href=\"(.+?)\"", shown) == [page_of(beside), page_of(doubtful)]
        for made, phone in ((beside, "43-21"), (doubtful, "45-67")):
            assert made.reference in shown
            assert f"-{phone}" in shown
        assert "9007654321" not in page
        assert queue.counts().total == queue.counts().twice == 1
        assert "квартир с двумя визитами: 1" in text_of(operator.get("/admin/"))

    @pytest.mark.parametrize(
        "other",
        [
            {"outcome": "in_doubt"},
            {"called_off_at": timezone.now()},
            {"moved_at": timezone.now()},
            {"anonymised_at": timezone.now()},
            {"starts_at": timezone.now() - timedelta(hours=1)},
            {"category": "garage"},
            {"house_id": "2"},
            {"flat": "2"},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_only_visits_ahead_of_one_flat_are_two(self, other):
        booking()
        booking(**other, phone="+79007654321")

        assert queue.counts().twice == 0

    @pytest.mark.parametrize("page", [QUEUE, "/admin/", SHEET])
    def test_what_is_past_its_deadline_is_in_doubt_when_looked_at(self, operator, page):
        made = booking(outcome="sending", deadline_at=timezone.now() - timedelta(minutes=5))

        html = text_of(operator.get(page))

        assert "под вопросом: 1" in html or made.reference in html
        made.refresh_from_db()
        assert made.outcome == "in_doubt"

    def test_the_nearest_visit_comes_first(self, operator):
        later = booking(outcome="in_doubt", flat="1", starts_at=tomorrow_at(15))
        sooner = booking(outcome="in_doubt", flat="2", starts_at=tomorrow_at(9))

        assert list(queue.in_doubt()) == [sooner, later]

    def test_a_visit_that_is_over_comes_last(self):
        over = timezone.now() - timedelta(hours=1)
        past = booking(outcome="in_doubt", flat="1", starts_at=over)
        to_come = booking(outcome="in_doubt", flat="2")
        requests = [asked_to_cancel(past), asked_to_cancel(to_come)]

        assert list(queue.in_doubt()) == [to_come, past]
        assert list(queue.open_requests()) == requests[::-1]

    def test_what_has_been_anonymised_waits_for_nobody(self, operator):
        made = booking(outcome="in_doubt", starts_at=timezone.now() - timedelta(days=1))
        request = asked_to_cancel(made)
        retention.anonymise_booking(made)

        assert queue.counts() == queue.Counts(
            in_doubt=0, twice=0, requests=0, visit_requests=0, repeated=0
        )
        answer = reverse("admin:booking_changerequest_answer", args=[request.pk])
        operator.post(answer, {"answer": "Иван", "becomes": "stands"})
        resolve = reverse("admin:booking_booking_resolve", args=[made.pk])
        operator.post(resolve, {"was_booked": "no", "note": "Иван"})
        assert made.events.latest("pk").kind == "anonymised"
        assert made.change_requests.get().answer == ""

    def test_refusals_of_one_phone_count_too(self):
        for number in range(3):
            booking(outcome="refused", flat=str(number))

        assert [each.count for each in queue.repeated_refusals()] == [3]

    def test_one_buyer_who_is_refused_is_one_trouble(self):
        for flat in ("1", "1", "1", "2"):
            booking(outcome="refused", flat=flat)
        booking(outcome="refused", flat="1", phone="+79001234568")

        assert [(each.of, each.count) for each in queue.repeated_refusals()] == [("телефон", 4)]

    @pytest.mark.parametrize("outcome", ["confirmed", "refused"])
    def test_who_has_booked_after_all_needs_nobody(self, outcome):
        for _ in range(3):
            booking(outcome="refused")
        booking(outcome=outcome)

        assert bool(list(queue.repeated_refusals())) == (outcome == "refused")

    def test_two_refusals_or_those_of_yesterday_are_no_matter(self):
        for _ in range(2):
            booking(outcome="refused")
        booking(outcome="refused", created_at=timezone.now() - timedelta(days=1, minutes=1))

        assert not list(queue.repeated_refusals())

    def test_empty_it_says_so(self, operator):
        assert text_of(operator.get(QUEUE)).count("Ничего нет.") == 5

    def test_it_is_not_for_staff_without_a_role(self, django_user_model):
        nobody = Client()
        nobody.force_login(django_user_model.objects.create_user("nobody", is_staff=True))

        assert nobody.get(QUEUE).status_code == 403
        assert QUEUE not in text_of(nobody.get("/admin/"))


class TestAnswering:
    @pytest.mark.parametrize(("choice", "called_off"), [("called_off", True), ("stands", False)])
    def test_the_buyer_reads_the_answer(self, operator, client, choice, called_off):
        made = booking()
        request = asked_to_cancel(made)
        url = reverse("admin:booking_changerequest_answer", args=[request.pk])

        assert "Заболел" in text_of(operator.get(url))
        reply = operator.post(url, {"answer": "Хорошо, выздоравливайте", "becomes": choice})

        assert reply.url == QUEUE
        made.refresh_from_db()
        assert (made.called_off_at is not None) == called_off
        assert "выздоравливайте" in text_of(client.get(made.get_absolute_url()))
        assert made.events.get(kind="change_answered").facts["by"] == "olga"

    def test_is_a_link_from_the_list_of_requests(self, operator):
        request = asked_to_cancel(booking())
        answer = reverse("admin:booking_changerequest_answer", args=[request.pk])
        shown = reverse("admin:booking_changerequest_change", args=[request.pk])
        listed = reverse("admin:booking_changerequest_changelist")

        assert answer in text_of(operator.get(shown))
        assert shown in text_of(operator.get(listed, {"state": "open"}))
        operator.post(answer, {"answer": "Хорошо", "becomes": "called_off"})

        assert answer not in text_of(operator.get(shown))
        assert shown not in text_of(operator.get(listed, {"state": "open"}))
        assert shown in text_of(operator.get(listed, {"state": "answered"}))

    def test_then_comes_the_next_one(self, operator):
        first = asked_to_cancel(booking(flat="1", starts_at=tomorrow_at(9)))
        second = asked_to_cancel(booking(flat="2", starts_at=tomorrow_at(10)))
        url = reverse("admin:booking_changerequest_answer", args=[first.pk])

        reply = operator.post(url, {"answer": "Да", "becomes": "called_off"})

        assert reply.url == reverse("admin:booking_changerequest_answer", args=[second.pk])

    def test_both_questions_must_be_answered(self, operator):
        request = asked_to_cancel(booking())
        url = reverse("admin:booking_changerequest_answer", args=[request.pk])

        assert operator.post(url, {"answer": "Да"}).status_code == 200
        assert operator.post(url, {"becomes": "called_off"}).status_code == 200
        request.refresh_from_db()
        assert request.is_open

    def test_the_second_answer_is_not_taken(self, operator, manager):
        made = booking()
        url = reverse("admin:booking_changerequest_answer", args=[asked_to_cancel(made).pk])
        operator.post(url, {"answer": "Нет", "becomes": "stands"})
        manager.post(url, {"answer": "Да", "becomes": "called_off"})

        assert made.change_requests.get().answer == "Нет"
        made.refresh_from_db()
        assert made.is_booked

    def test_resolving_leads_to_the_next_booking_in_doubt(self, operator):
        first = booking(outcome="in_doubt", flat="1", starts_at=tomorrow_at(9))
        second = booking(outcome="in_doubt", flat="2", starts_at=tomorrow_at(10))
        urls = [
            reverse("admin:booking_booking_resolve", args=[each.pk]) for each in (first, second)
        ]

        reply = operator.post(urls[0], {"was_booked": "yes", "note": "Есть в CRM"})
        assert reply.url == urls[1]
        reply = operator.post(urls[1], {"was_booked": "no", "note": "Нет в CRM"})
        assert reply.url == QUEUE


class TestLookingInto:
    def url_of(self, made: Booking) -> str:
        return reverse("admin:booking_booking_dismiss", args=[made.pk])

    def test_refusals_leave_the_queue_until_the_next_one(self, operator):
        *_others, last = [booking(outcome="refused") for _ in range(3)]
        url = self.url_of(last)
        assert url in text_of(operator.get(QUEUE))
        assert last.reference in text_of(operator.get(url))

        reply = operator.post(url, {"note": "Позвонила, поправят договор"})

        assert reply.url == QUEUE
        assert queue.counts().repeated == 0
        facts = last.events.get(kind="looked_into").facts
        assert facts == {"by": "olga", "note": "Позвонила, поправят договор"}
        assert "поправят договор" in text_of(operator.get(page_of(last)))
        booking(outcome="refused")
        assert queue.counts().repeated == 1

    def test_a_note_is_needed(self, operator):
        made = booking(outcome="refused")

        assert operator.post(self.url_of(made), {"note": ""}).status_code == 200
        assert not made.events.exists()

    def test_is_for_refusals_and_for_those_who_may_resolve(self, operator, django_user_model):
        assert operator.get(self.url_of(booking())).status_code == 404
        nobody = Client()
        nobody.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
        assert nobody.get(self.url_of(booking(outcome="refused"))).status_code == 403


class TestWhoComesSecond:
    """A page that was open while a colleague acted: nothing is changed, and no success told."""

    def test_does_not_resolve(self, operator):
        made = booking(outcome="in_doubt")
        services.settling.resolve(made, was_booked=True, by="anna", note="Есть в CRM")
        url = reverse("admin:booking_booking_resolve", args=[made.pk])

        page = operator.post(url, {"was_booked": "no", "note": "Нет"}, follow=True)

        assert page.redirect_chain == [(page_of(made), 302)]
        assert "уже не под вопросом" in text_of(page)
        assert "Итог записан" not in text_of(page)

    def test_not_even_in_the_same_moment(self, operator, monkeypatch):
        made, asked = booking(outcome="in_doubt", flat="1"), asked_to_cancel(booking(flat="2"))
        monkeypatch.setattr(services.settling, "resolve", lambda *args, **kwargs: False)
        monkeypatch.setattr(services.visits, "answer", lambda *args, **kwargs: False)
        url = reverse("admin:booking_booking_resolve", args=[made.pk])
        page = operator.post(url, {"was_booked": "no", "note": "Нет"}, follow=True)
        assert "уже не под вопросом" in text_of(page)

        url = reverse("admin:booking_changerequest_answer", args=[asked.pk])
        page = operator.post(url, {"answer": "Да", "becomes": "stands"}, follow=True)
        assert "На эту просьбу уже ответили" in text_of(page)


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
