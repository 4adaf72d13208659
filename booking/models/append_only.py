"""Base classes of append-only models."""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


class AppendOnlyQuerySet(models.QuerySet[M]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self.model._meta.model_name} is append-only")

    def delete(self) -> NoReturn:
        raise TypeError(f"{self.model._meta.model_name} is append-only")


class AppendOnly(models.Model):
    """Rows can't be changed or deleted. Managers are made of AppendOnlyQuerySet."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError(f"{self._meta.model_name} is append-only")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(f"{self._meta.model_name} is append-only")
