"""`python -m config.alive`: whether the site on this machine is alive. The image's health check."""

import os
import urllib.request

from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def ask() -> None:
    """Raises OSError if it is not."""
    # By a name of its own, since the site answers to no other; ".example.com" stands for several.
    host = settings.ALLOWED_HOSTS[0].removeprefix(".")
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz/"
    request = urllib.request.Request(address, headers={"Host": host})
    urllib.request.urlopen(request, timeout=4)  # noqa: S310 - our own address


if __name__ == "__main__":
    ask()
