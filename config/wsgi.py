"""The application for gunicorn. Refuses to start on a configuration that the checks find wrong."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()


def _stop_on_errors() -> None:
    """Say what is wrong and stop: a WSGI server, unlike manage.py, runs no system checks."""
    from django.core import checks

    errors = [message for message in checks.run_checks() if message.is_serious()]
    if errors:
        sys.exit("\n".join(f"Cannot start: {error.msg}" for error in errors))


_stop_on_errors()
