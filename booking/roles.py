"""Create the two groups of staff after `migrate`, if they are missing.

Not in a migration, because Django creates permissions only after all migrations. Existing groups
are left alone: an operator may have changed them.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group, Permission

OPERATORS = "operators"
MANAGERS = "managers"

# View everything with masked phones, resolve doubts, answer requests, lift limits.
OF_OPERATORS = (
    "view_booking",
    "view_bookingevent",
    "view_changerequest",
    "view_visitrequest",
    "view_house",
    "view_notice",
    "resolve_booking",
    "answer_changerequest",
    "lift_limit",
    "view_limitlift",
)
# And whole phones, exports, houses and the audit trail.
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
            # Not `set`, whose signal would record a change of rights by staff.
            held = Group.permissions.through
            held.objects.bulk_create(held(group=group, permission=each) for each in may)
