"""`python -m config.alive`: the image's health check."""

import os
import urllib.request


def ask() -> None:
    """Request /healthz/. Raises OSError if it fails."""
    address = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/healthz/"
    urllib.request.urlopen(address, timeout=4)


if __name__ == "__main__":
    ask()
