"""`python -m config.alive`: whether the site on this machine is alive. The image's health check."""

import os
import urllib.request


def ask() -> None:
    """Raises OSError if it is not."""
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz/"
    urllib.request.urlopen(address, timeout=4)


if __name__ == "__main__":
    ask()
