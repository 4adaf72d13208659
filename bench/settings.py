"""The site's own settings as in production, with two floors to compare its pages with."""

import os
from pathlib import Path

from config.settings import *

ROOT_URLCONF = "bench.urls"
STATIC_ROOT = Path(os.environ["BENCH_STATIC_ROOT"])
TEMPLATES[0] |= {"DIRS": [BASE_DIR / "templates", BASE_DIR / "bench" / "templates"]}
