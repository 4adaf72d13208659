"""The two groups of staff, made where they are missing whenever `migrate` has run.

After the migrations, not in one of them, because Django makes the permissions themselves only then.
A group that is there is left as it is: whoever runs the site may have changed it.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

OPERATORS = "operators"
MANAGERS = "managers"

# See everything with masked phones, find out what is in doubt, answer requests, lift limits.
OF_OPERATORS = (
    "view_booking",
    "view_bookingevent",
    "view_changerequest",
    "view_house",
    "view_notice",
    "resolve_booking",
    "answer_changerequest",
    "lift_limit",
    "view_limitlift",
)
# And whole phones, exports, houses, and what others have done with whole phones.
OF_MANAGERS = (
    *OF_OPERATORS,
    "view_whole_phone",
    "export_booking",
    "view_staffevent",
    "add_house",
    "change_house",
)


def make_groups(**signal: Any) -> None:
    for name, codenames in ((OPERATORS, OF_OPERATORS), (MANAGERS, OF_MANAGERS)):
        group, is_new = Group.objects.get_or_create(name=name)
        if is_new:
            may = Permission.objects.filter(
                content_type__app_label="booking", codename__in=codenames
            )
            # Not `set`, which would be told as a change of rights by somebody.
            held = Group.permissions.through
            held.objects.bulk_create(held(group=group, permission=each) for each in may)
