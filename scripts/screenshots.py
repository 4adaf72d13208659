"""Takes the pictures of the README and the guides: two pages on a phone, and the staff dashboard.

Starts the stand-in and the site on free ports, with a database that is thrown away. Needs Chromium:
CHROMIUM names it, else Debian's is taken.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from standin import ACCEPTED_PHONE, StandIn  # noqa: E402 - after the path is set

IMAGES = ROOT / "docs" / "images"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PHONE = ViewportSize(width=390, height=960)
SCREEN = ViewportSize(width=1100, height=620)
LOGIN, PASSWORD = "olga", secrets.token_urlsafe(12)
FLAT = {"category": "flat", "house": "3105011", "flat": "1.8-12-1"}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        StandIn() as crm,
        site(Path(folder), crm) as address,
        phone() as page,
    ):
        take_pictures(page, address)
        leave_one_in_doubt(page, address, crm)
        take_pictures_of_the_desk(page, address)


def take_pictures(page: Page, address: str) -> None:
    page.goto(f"{address}/?{urlencode(FLAT)}")
    page.get_by_role("button", name=re.compile(r"\d свободн")).nth(1).click()
    page.goto(page.url.partition("#")[0])  # from its top
    page.screenshot(path=IMAGES / "step-2.png")
    page.locator(".time").nth(2).click()
    page.get_by_label("Телефон").fill(ACCEPTED_PHONE)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Записаться").click()
    page.get_by_role("heading", name="Вы записаны").wait_for()
    page.screenshot(path=IMAGES / "confirmed.png")


def leave_one_in_doubt(page: Page, address: str, crm: StandIn) -> None:
    crm.fail("add", "drop_after_write")
    page.goto(f"{address}/?{urlencode(FLAT | {'flat': '1.8-12-2'})}")
    page.get_by_role("button", name=re.compile(r"\d свободн")).nth(1).click()
    page.locator(".time").first.click()
    page.get_by_label("Телефон").fill(ACCEPTED_PHONE)
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Записаться").click()
    page.wait_for_url("**/bookings/**")


def take_pictures_of_the_desk(page: Page, address: str) -> None:
    page.set_viewport_size(SCREEN)
    page.goto(f"{address}/admin/")
    page.locator("#id_username").fill(LOGIN)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("[type=submit]").click()
    page.locator(".staff-dashboard").wait_for()
    page.screenshot(path=IMAGES / "dashboard.png")
    page.locator(".staff-card").first.click()
    page.screenshot(path=IMAGES / "needs-a-look.png")


@contextmanager
def phone() -> Iterator[Page]:
    """A page of a browser the size of a phone."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport=PHONE, device_scale_factor=1.5, locale="ru-RU")
        yield context.new_page()
        browser.close()


@contextmanager
def site(folder: Path, crm: StandIn) -> Iterator[str]:
    """The site's address, while it runs against the stand-in."""
    port = free_port()
    variables = os.environ | environment(folder, crm)
    for arguments in (["migrate"], ["createsuperuser", "--noinput", "--email="]):
        command = [sys.executable, "manage.py", *arguments, "--verbosity=0"]
        subprocess.run(command, env=variables, check=True)
    command = ["-m", "gunicorn", "config.wsgi", f"--bind=127.0.0.1:{port}", "--log-level=warning"]
    server = subprocess.Popen([sys.executable, *command], env=variables)
    try:
        listening(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def environment(folder: Path, crm: StandIn) -> dict[str, str]:
    """With DEBUG, so that the static files need not be collected first."""
    return {
        "DJANGO_SUPERUSER_USERNAME": LOGIN,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "true",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_SSL_REDIRECT": "false",
        "TRUSTED_PROXIES": "0",
        "TIME_ZONE": "Asia/Yekaterinburg",
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "MACROCRM_URL": crm.url,
        "MACROCRM_DOMAIN": crm.domain,
        "MACROCRM_APP_SECRET": crm.secret,
        "SITE_NAME": "",
        "SUPPORT_PHONE": "+7 343 000-00-00",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server takes connections, or exit if it has ended."""
    while server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    sys.exit("The site did not start.")


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
