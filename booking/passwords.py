"""Refuse passwords of staff made of words that attackers try first."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
)
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Words of this trade: English, Russian, transliterated, and typed in the other layout.
OF_THE_TRADE = (
    "admin administrator booking desk flat handover home house key keys macrocrm manager office"
    " operator password qwerty root staff user visit welcome"
    " админ визит дом запись квартира ключ ключи менеджер оператор офис пароль передача сайт"
    " dom kluch klyuch kvartira ofis parol peredacha zapis"
    " bntv gfhjkm rdfhnbhf rk.x rk.xb"
)
SHORTEST, LONG = 3, 5
OF_PEOPLE = ("username", "first_name", "last_name", "email")


class KnownWordsValidator:
    """Without such words, the rest must be a valid password.

    Django's UserAttributeSimilarityValidator accepts `olga1234` for `olga`.
    """

    def validate(self, password: str, user: Any = None) -> None:
        rest = typed = password.casefold()
        for word in sorted(_words(user), key=len, reverse=True):
            rest = rest.replace(word, "")
        if rest == typed:
            return
        try:
            for rule in (
                MinimumLengthValidator(),
                NumericPasswordValidator(),
                CommonPasswordValidator(),
            ):
                rule.validate(rest)
        except ValidationError as exc:
            raise ValidationError(
                _(
                    "Too little is left of this password without your name, the site's name and"
                    " other words that are guessed first."
                ),
                code="password_of_known_words",
            ) from exc

    def get_help_text(self) -> str:
        return _(
            "Your password can't be made of your name, the site's name and other words that are"
            " guessed first."
        )


def _words(user: Any) -> set[str]:
    people = (getattr(user, name, "") for name in OF_PEOPLE)
    texts = (settings.SITE_NAME, settings.MACROCRM_DOMAIN, *settings.ALLOWED_HOSTS, *people)
    found = [*OF_THE_TRADE.split(), *re.split(r"[\W_]+", " ".join(texts).casefold())]
    # In Russian the last letter changes with the case: квартал, квартала.
    stems = [word[:-1] for word in found if len(word) > LONG]
    return {word for word in (*found, *stems) if len(word) >= SHORTEST}
