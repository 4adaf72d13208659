"""The names of the variables that the settings read, and a complete set of values for them."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

COMPLETE = {
    "SECRET_KEY": "tests-only-" + "0123456789abcdef" * 4,
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "MACROCRM_DOMAIN": "example.test",
    "MACROCRM_APP_SECRET": "example-secret",
}

# For a measurement or a load that comes from one address.
NO_LIMITS = dict.fromkeys(
    (
        "LIMIT_PHONES_OF_CLIENT",
        "LIMIT_FLATS_OF_PHONE",
        "LIMIT_PAIRS_OF_CLIENT",
        "LIMIT_PHONES_OF_FLAT",
        "LIMIT_PRESSES_OF_CLIENT",
        "MACROCRM_ADDS_AT_ONCE",
        "MACROCRM_ADDS_PER_MINUTE",
    ),
    "1000000",
) | {"MACROCRM_CALLS_PER_MINUTE": "600"}

# What gunicorn reads by itself, before there are settings.
GUNICORN = {"PORT", "WEB_CONCURRENCY"}


def names() -> set[str]:
    """What `config/settings.py` asks its environment for."""
    tree = ast.parse((ROOT / "config" / "settings.py").read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"optional", "required"}
    }


def environment(**changes: str) -> dict[str, str]:
    """Every variable: as in `changes`, else as a complete environment has it, else empty.

    Empty, not left out, so that a developer's own `.env` file changes no test.
    """
    return dict.fromkeys(names(), "") | COMPLETE | changes
