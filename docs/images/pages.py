"""
Makes the pictures of the pages: of a real server, on a studio with three weeks of real backups.

``python docs/images/pages.py`` from the root of the repository, with Playwright and ``chromium`` installed.
The past is made by the program itself, with a clock that stands in the past; one of its days went wrong.
"""

# ruff: noqa: E402 - the program is found before it is imported

from __future__ import annotations

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT / "src"))

from pinnacle_backup.app.accounts import add_user
from pinnacle_backup.app.auditing import actor_of
from pinnacle_backup.app.jobs import execute_job, find_job
from pinnacle_backup.app.pins import pin_backup
from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio, open_studio
from pinnacle_backup.config.secrets import Secret
from pinnacle_backup.crypto.login_password import LoginPasswords
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.model.permissions import ADMINISTRATOR
from pinnacle_backup.model.progress import Silent
from pinnacle_backup.model.runs import SCHEDULE, Origin
from pinnacle_backup.web.unlocked import Nobody

DAYS, FAILED_DAY = 21, 9
PORT, WIDTH, HEIGHT = 9471, 1280, 800
NAME, PASSWORD = "anna", "seven calm otters paddle home"
LARGEST = 200_000
SCHEMA = """
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS articles (id INTEGER PRIMARY KEY, title TEXT, text TEXT);
"""
JOBS = (
    {"name": "afternoon", "run": "incremental", "cron": "0 8-18/5 * * 1-5"},
    {"name": "weekend-check", "run": "verify", "cron": "0 5 * * 6"},
    {"name": "monthly-drill", "run": "drill", "cron": "0 5 1 * *", "backup": "random"},
)
RENAME = """([above, shown]) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    walker.currentNode.nodeValue = walker.currentNode.nodeValue.replaceAll(above, shown);
  }
}"""


def main() -> None:
    with tempfile.TemporaryDirectory() as above:
        root = Path(above, "ultra-pinnacle")
        prepare(root)
        live_through(root)
        now = opened(root, datetime.now(UTC), "")
        add_user(now, LoginPasswords(), NAME, ADMINISTRATOR, Secret(PASSWORD), by=actor_of(now))
        with serving(root), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"]
            )
            picture_all(browser, above)
            browser.close()


def prepare(root: Path) -> None:
    """Make a studio with some files and a database."""
    for folder in ("logs", "uploads/images", "uploads/models", "encyclopedia"):
        (root / folder).mkdir(parents=True)
    configuration = json.loads((ROOT / "config.json").read_text())
    configuration["backup"]["schedule"] |= {"jobs": JOBS, "time_zone": "UTC"}
    configuration["notifications"]["enabled"] = False
    (root / "config.json").write_text(json.dumps(configuration, indent=2))
    for guide in (ROOT / "docs").rglob("*.md"):
        shutil.copy(guide, root / "encyclopedia")
    for number in range(60):
        (root / f"uploads/models/layer-{number:02}.bin").write_bytes(os.urandom(150_000))


def live_through(root: Path) -> None:
    """Do for three weeks what the schedule says, while the studio is at work."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(DAYS, 0, -1):
        date = midnight - timedelta(days=day)
        work(root, date - timedelta(hours=6))
        if day == FAILED_DAY:
            with away(root / "uploads"):
                do(root, "daily-full", date + timedelta(hours=2))
            do(root, "daily-full", date + timedelta(hours=2, minutes=5))
        else:
            do(root, "daily-full", date + timedelta(hours=2))
        if date.weekday() == 5 or day == 1:
            do(root, "weekend-check", date + timedelta(hours=5))
        if day == 4:
            do(root, "monthly-drill", date + timedelta(hours=5))
        if date.weekday() < 5 or day == 1:
            work(root, date + timedelta(hours=11))
            do(root, "afternoon", date + timedelta(hours=13))
    if datetime.now(UTC) > midnight + timedelta(hours=2, minutes=10):
        do(root, "daily-full", midnight + timedelta(hours=2))


def work(root: Path, moment: datetime) -> None:
    """Change the studio as some hours of work do."""
    chance = random.Random(moment.day * 24 + moment.hour)
    for _ in range(chance.randrange(3, 9)):
        name = f"{chance.choice(('castle', 'harbour', 'forest', 'portrait'))}-{chance.randrange(1000):03}.png"
        image = root / "uploads/images" / name
        image.write_bytes(chance.randbytes(chance.randrange(200_000)))
        drawn = moment.timestamp() + chance.randrange(3600)
        os.utime(image, (drawn, drawn))
    with (root / "logs/ultra_pinnacle.log").open("a") as log:
        log.writelines(f"INFO request {chance.random()}\n" for _ in range(500))
    with sqlite3.connect(root / "ultra_pinnacle.db") as database:
        database.executescript(SCHEMA)
        rows = [(f"Article {chance.random()}", "lorem ipsum " * 50) for _ in range(400)]
        database.executemany("INSERT INTO articles (title, text) VALUES (?, ?)", rows)
    database.close()


@contextmanager
def away(path: Path) -> Iterator[None]:
    """Take something away, as a disk that is not mounted."""
    path.rename(path.with_suffix(".away"))
    yield
    path.with_suffix(".away").rename(path)


def do(root: Path, job: str, moment: datetime) -> None:
    """Do a job at a time in the past."""
    studio = opened(root, moment, job)
    with suppress(PinnacleError):
        execute_job(studio, find_job(studio, job), passwords=Nobody(), progress=Silent())
    if job == "monthly-drill":
        pin_backup(replace(studio, origin=Origin(user=NAME)), "latest")
    studio.state.close()
    studio.logs.close()


def opened(root: Path, moment: datetime, job: str) -> Studio:
    """Open the studio at that time."""
    place = Place(str(root), str(root / "config.json"), {})
    studio = open_studio(place, command="pages.py", warn=lambda _: None)
    began = time.monotonic()
    slot = moment.strftime("%Y-%m-%dT%H:%M:%S.000000Z") if job else ""
    origin = Origin(kind=SCHEDULE, user="studio", job=job, slot=slot)
    clock = lambda: moment + timedelta(seconds=time.monotonic() - began)  # noqa: E731 - a clock is a function
    return replace(studio, clock=clock, origin=origin)


@contextmanager
def serving(root: Path) -> Iterator[None]:
    """Serve the studio."""
    words = [sys.executable, str(ROOT / "scripts" / "backup_restore.py"), "serve", "--port", str(PORT)]
    with subprocess.Popen(words, cwd=root, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert "is at" in server.stdout.readline()
            yield
        finally:
            server.terminate()


def picture_all(browser: Browser, above: str) -> None:
    """Log in, and take all pictures, light and dark, and one of a phone."""
    for scheme in ("light", "dark"):
        page = logged_in(browser, scheme, WIDTH, HEIGHT)
        if scheme == "light":
            by_hand(page)
        for name, address in addresses(page).items():
            picture(page, address, IMAGES / f"{name}-{scheme}.png", above)
        page.context.close()
    phone = logged_in(browser, "light", 390, 844)
    picture(phone, "/", IMAGES / "phone-light.png", above)


def logged_in(browser: Browser, scheme: str, width: int, height: int) -> Page:
    """Return a page of somebody who is logged in."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        device_scale_factor=1,
        is_mobile=width < height,
        reduced_motion="reduce",
        base_url=f"http://127.0.0.1:{PORT}",
    )
    page = context.new_page()
    page.goto("/login")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda address: "/login" not in address)
    return page


def by_hand(page: Page) -> None:
    """Do with the pages what people do: a backup with a name, read back."""
    page.goto("/backups?create")
    page.locator("#f-create-name").fill("before-the-upgrade")
    page.locator("dialog[open]").get_by_role("button", name="Create Backup").click()
    page.wait_for_url("**/runs/*")
    address = f"/api/v1{page.url.removeprefix(f'http://127.0.0.1:{PORT}')}"
    while page.request.get(address).json()["run"]["outcome"] == "running":
        page.wait_for_timeout(200)
    page.wait_for_timeout(3000)  # the page of a run that has ended is loaded once more by itself


def addresses(page: Page) -> dict[str, str]:
    """Return which pages are pictured."""
    listing = page.request.get("/api/v1/backups").json()["backups"]
    name = next(one["name"] for one in listing if "before-the-upgrade" in one["name"])
    return {
        "dashboard": "/",
        "backups": "/backups",
        "browse": f"/backups/{name}/browse?path=uploads/images",
        "restore": preview_of(page, listing[6]["name"]),
        "schedule": "/schedule",
        "runs": "/runs",
    }


def preview_of(page: Page, backup: str) -> str:
    """Return the address of the preview of a restore."""
    page.goto(f"/restore?backup={backup}")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_url("**/restore?plan=*")
    return page.url


def picture(page: Page, address: str, file: Path, above: str) -> None:
    """Take a picture of a page as it is seen first."""
    page.goto(address)
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    page.evaluate(RENAME, [above, "/srv"])
    page.screenshot(path=file)
    assert file.stat().st_size < LARGEST, f"{file} is too large: {file.stat().st_size}"
    print(file.relative_to(ROOT), f"{file.stat().st_size:,}")


if __name__ == "__main__":
    main()
