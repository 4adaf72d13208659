#!/usr/bin/env python
import os
import sys

from django.conf import settings
from django.core.management import execute_from_command_line

from config.environment import stop_on

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] == ["runserver"]:
        # It runs the system checks in a thread, whose failure Python shows as a traceback.
        stop_on(settings.CONFIGURATION_PROBLEMS)
    execute_from_command_line()
