"""The site's own settings, with the static files collected into the folder of a test."""

import os
from pathlib import Path

from config.settings import *

STATIC_ROOT = Path(os.environ["TESTS_STATIC_ROOT"])
