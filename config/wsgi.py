"""The WSGI application, which refuses to start if the system checks fail."""

import os

import django
from django.core import checks
from django.core.wsgi import get_wsgi_application

from config.content_type import ContentTypeMiddleware
from config.environment import stop_on

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


def _errors() -> list[str]:
    """Run the system checks, which a WSGI server, unlike manage.py, does not."""
    found = checks.run_checks(include_deployment_checks=True)
    return [str(message.msg) for message in found if message.is_serious()]


django.setup()
stop_on(_errors())
application = ContentTypeMiddleware(get_wsgi_application())
