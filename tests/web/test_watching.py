"""The dashboard, the schedule, notifications, health, and what monitoring systems ask."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pinnacle_backup.model.permissions import OPERATOR, VIEWER

from ..studios import Studio
from .browser import watched
from .serving import PASSWORD, Server, serving

OWN = {"name": "nightly-verify", "run": "verify", "cron": "30 4 * * *"}


@pytest.fixture(scope="module")
def watching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of a studio with a backup; each test leaves the schedule as it was."""
    folder = tmp_path_factory.mktemp("watching")
    studio = Studio(folder / "studio")
    studio.good("create")
    with serving(folder, studio=studio) as server:
        yield server


@pytest.fixture
def page(watching: Server, browser: Browser) -> Iterator[Page]:
    with watched(browser, viewport={"width": 1280, "height": 900}) as seen:
        watching.login(seen.page)
        yield seen.page
        assert seen.complaints == []


def scheduler_of(server: Server, *, runs: bool, seconds: float = 20) -> str:
    deadline = time.monotonic() + seconds
    while True:
        found: str = server.json("GET", "/backup/status")["scheduler"]
        if bool(found) == runs or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def test_anybody_learns_the_level_and_those_who_may_look_learn_why(watching: Server) -> None:
    public = watching.request("GET", "/health", role=None)
    assert watching.request("HEAD", "/health", role=None).status_code == public.status_code
    known = watching.request("GET", "/health", role=VIEWER)

    assert public.status_code == known.status_code == 200
    assert public.json() == {"status": known.json()["status"]}
    assert known.json()["headline"]
    assert {"backup", "scheduler"} <= {check["name"] for check in known.json()["checks"]}


@pytest.mark.parametrize("path", ["/backup/status", "/backup/list", "/metrics"])
def test_monitors_may_ask_for_the_head_only(watching: Server, path: str) -> None:
    whole = watching.request("GET", path, role=VIEWER)
    head = watching.request("HEAD", path, role=VIEWER)

    assert head.status_code == whole.status_code == 200
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert head.content == b""
    assert watching.request("HEAD", path, role=None).status_code == 401


def test_health_is_503_where_the_studio_is_not_protected(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        answer = server.request("GET", "/health", role=None)
    assert (answer.status_code, answer.json()) == (503, {"status": "critical"})


def test_the_addresses_of_the_guide_answer_like_the_commands(watching: Server) -> None:
    status = watching.json("GET", "/backup/status", role=VIEWER)
    listed = watching.json("GET", "/backup/list", role=VIEWER)

    assert status["counts"]["full"] == 1
    assert [each["name"] for each in listed["backups"]] == [status["newest"]["name"]]
    metrics = watching.request("GET", "/metrics", role=VIEWER)
    assert 'pinnacle_backups{type="full"} 1.0' in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "path",
    ["/backup/status", "/backup/list", "/metrics", "/api/v1/health", "/api/v1/schedule", "/api/v1/calendar"],
)
def test_nobody_else_learns_anything(watching: Server, path: str) -> None:
    assert watching.request("GET", path, role=None).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/v1/schedule", {"weekly_cleanup": False}),
        ("POST", "/api/v1/schedule/pause", {}),
        ("POST", "/api/v1/schedule/resume", {}),
        ("POST", "/api/v1/schedule/jobs", OWN),
        ("PUT", "/api/v1/schedule/jobs/none", {"enabled": False}),
        ("DELETE", "/api/v1/schedule/jobs/none", None),
        ("POST", "/api/v1/schedule/blackout", {"start": "10:00", "end": "11:00"}),
        ("DELETE", "/api/v1/schedule/blackout/1", None),
        ("POST", "/api/v1/scheduler/start", None),
        ("POST", "/api/v1/scheduler/stop", None),
        ("POST", "/api/v1/notifications/test", {}),
        ("POST", "/api/v1/notifications/retry", None),
        ("POST", "/api/v1/schedule/jobs/weekly-cleanup/run", None),
    ],
)
def test_operators_look_and_leave_it_as_it_is(
    watching: Server, method: str, path: str, body: dict[str, object] | None
) -> None:
    assert watching.request(method, path, json=body, role=OPERATOR).status_code == 403


def test_the_schedule_changes_by_key_and_faults_stand_at_their_fields(watching: Server) -> None:
    changed = watching.json("PUT", "/api/v1/schedule", json={"daily_full_backup_time": "03:15"})
    refused = watching.request("PUT", "/api/v1/schedule", json={"daily_full_backup_time": "25:00"})

    assert changed["values"]["daily_full_backup_time"] == "03:15"
    assert changed["values"]["weekly_cleanup"] is True
    assert "full backup every day at 03:15" in changed["words"]
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["errors"]] == ["daily_full_backup_time"]
    assert watching.json("GET", "/api/v1/schedule") == changed
    watching.json("PUT", "/api/v1/schedule", json={"daily_full_backup_time": "02:00"})


def test_jobs_of_ones_own_come_change_and_go(watching: Server) -> None:
    watching.json("POST", "/api/v1/schedule/jobs", json=OWN)
    twice = watching.request("POST", "/api/v1/schedule/jobs", json=OWN)
    wrong = watching.request("PUT", f"/api/v1/schedule/jobs/{OWN['name']}", json={"cron": "61 * * * *"})
    off = watching.json("PUT", f"/api/v1/schedule/jobs/{OWN['name']}", json={"enabled": False})
    gone = watching.json("DELETE", f"/api/v1/schedule/jobs/{OWN['name']}")

    assert [each["field"] for each in twice.json()["errors"]] == ["name"]
    assert [each["field"] for each in wrong.json()["errors"]] == ["cron"]
    assert off["values"]["jobs"] == [{**OWN, "enabled": False, "backup": "newest"}]
    assert gone["values"]["jobs"] == []
    assert watching.request("DELETE", f"/api/v1/schedule/jobs/{OWN['name']}").status_code == 422


def test_a_cron_expression_is_told_in_words_and_times(watching: Server) -> None:
    told = watching.json("GET", "/api/v1/schedule/preview", params={"cron": "30 4 * * 1-5"}, role=VIEWER)
    wrong = watching.request("GET", "/api/v1/schedule/preview", params={"cron": "0 0 30 2 *"}, role=VIEWER)

    assert told["words"] == "At 04:30 on Monday through Friday"
    assert len(told["upcoming"]) == 5
    assert "never comes" in wrong.json()["fault"]
    assert wrong.json()["upcoming"] == []


def test_blackouts_come_and_go(watching: Server) -> None:
    added = watching.json("POST", "/api/v1/schedule/blackout", json={"start": "18:00", "end": "22:00"})
    same = watching.request("POST", "/api/v1/schedule/blackout", json={"start": "18:00", "end": "18:00"})
    removed = watching.json("DELETE", "/api/v1/schedule/blackout/1")

    assert added["values"]["blackout"] == [{"start": "18:00", "end": "22:00", "days": []}]
    assert [each["field"] for each in same.json()["errors"]] == ["end"]
    assert removed["values"]["blackout"] == []
    assert watching.request("DELETE", "/api/v1/schedule/blackout/1").status_code == 422


def test_a_pause_ends_by_itself_or_by_hand_but_never_before_it_begins(watching: Server) -> None:
    paused = watching.json("POST", "/api/v1/schedule/pause", json={"until": "2999-01-01 10:00"})
    past = watching.request("POST", "/api/v1/schedule/pause", json={"until": "2001-01-01 10:00"})
    resumed = watching.json("POST", "/api/v1/schedule/resume")

    assert paused["paused"].startswith("2999-01-01")
    assert [each["field"] for each in past.json()["errors"]] == ["until"]
    assert resumed["paused"] == ""


def test_a_job_is_done_now_for_whoever_asked(watching: Server) -> None:
    answer = watching.request("POST", "/api/v1/schedule/jobs/daily-full/run", role=OPERATOR)
    run = watching.wait_for(answer.json()["run"])

    assert answer.status_code == 202
    assert (run["verb"], run["outcome"]) == ("create", "good")
    assert (run["origin"]["user"], run["origin"]["job"]) == ("otto", "daily-full")


def test_today_is_good_and_samples_are_told(watching: Server) -> None:
    days = watching.json("GET", "/api/v1/calendar", params={"days": 7}, role=VIEWER)["days"]

    assert len(days) == 7
    assert days[-1]["state"] == "good"
    assert watching.json("GET", "/api/v1/samples", role=VIEWER)["samples"]


def test_notifications_tell_that_nobody_is_told(watching: Server) -> None:
    assert watching.json("GET", "/api/v1/notifications", role=VIEWER)["channels"] == []
    assert watching.request("POST", "/api/v1/notifications/test", json={}).status_code == 422
    assert watching.json("POST", "/api/v1/notifications/retry")["sent"] == 0


def test_stopped_stays_stopped_over_a_restart_and_is_told_everywhere(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "studio")
    studio.good("create")
    with serving(tmp_path, studio=studio) as server:
        assert "serve" in scheduler_of(server, runs=True)
        stopped = server.json("POST", "/api/v1/scheduler/stop")
        tokens = server.tokens
    assert (stopped["scheduler"], stopped["stopped"]["by"]) == ("", "ada")
    assert "stopped by ada" in studio.good("schedule")
    with serving(tmp_path, studio=studio, accounts=False) as bare:
        again = Server(studio=studio, url=bare.url, tokens=tokens, process=bare.process)
        time.sleep(0.5)
        assert again.json("GET", "/backup/status")["scheduler"] == ""
        check = {each["name"]: each for each in again.json("GET", "/api/v1/health")["checks"]}["scheduler"]
        assert "ada stopped the scheduler" in check["sentence"]
        assert again.json("POST", "/api/v1/scheduler/start")["scheduler"]
        assert again.json("GET", "/backup/status")["stopped"] is None


def test_the_command_line_stops_the_scheduler_of_a_server_that_goes_on(watching: Server) -> None:
    scheduler_of(watching, runs=True)
    said = watching.studio.good("schedule", "--stop-scheduler")

    assert "the server" in said
    assert watching.json("GET", "/backup/status")["scheduler"] == ""
    assert watching.json("POST", "/api/v1/scheduler/start")["scheduler"]


def test_the_guide_is_played_on_the_dashboard(watching: Server, page: Page) -> None:
    """System Status shows the scheduler; Stop Scheduler stops it, Start Scheduler starts it."""
    scheduler_of(watching, runs=True)
    page.goto(f"{watching.url}/")
    status = page.locator("section.card", has_text="System Status")
    expect(status.get_by_text("runs", exact=True)).to_be_visible()
    status.get_by_role("button", name="Stop Scheduler").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop Scheduler").click()
    expect(status.get_by_text("stopped", exact=True)).to_be_visible()
    expect(page.locator("main")).to_contain_text("ada stopped the scheduler")

    status.get_by_role("button", name="Start Scheduler").click()
    expect(status.get_by_text("runs", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Create Backup")).to_have_attribute("href", "/backups?create")


def test_create_backup_on_the_dashboard_opens_the_dialog(watching: Server, page: Page) -> None:
    page.goto(f"{watching.url}/")
    page.get_by_role("link", name="Create Backup").click()
    expect(
        page.get_by_role("dialog", name="Create backup").get_by_label("Encryption password")
    ).to_be_visible()


def test_the_dashboard_shows_a_run_that_begins_and_goes_on(watching: Server, page: Page) -> None:
    with page.expect_response("**/api/v1/events"):  # from now on it is told what happens
        page.goto(f"{watching.url}/")
    run = watching.json("POST", "/api/v1/schedule/jobs/daily-full/run")["run"]
    watching.wait_for(run)

    expect(page.locator("main")).to_contain_text("by the job daily-full")
    expect(page.locator(f'a[href="/runs/{run}"]').first).to_be_visible()


def test_the_schedule_is_edited_with_a_preview_of_times(watching: Server, page: Page) -> None:
    page.goto(f"{watching.url}/schedule")
    page.get_by_role("button", name="Add a job").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("yearly")
    dialog.get_by_label("When").fill("not a time")
    expect(dialog.locator('[data-error-for="cron"]')).to_contain_text("expected five fields")
    dialog.get_by_label("When").fill("5 1 1 1 *")
    expect(dialog.locator("#add-next li")).to_have_count(5)
    dialog.get_by_role("button", name="Add").click()
    expect(page.locator("#jobs")).to_contain_text("yearly")
    page.get_by_role("button", name="Remove yearly").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator("#jobs")).to_have_count(0)


@pytest.mark.parametrize("path", ["/", "/schedule", "/notifications", "/checks"])
def test_pages_fit_and_viewers_are_offered_nothing_they_may_not_do(
    watching: Server, browser: Browser, path: str
) -> None:
    with watched(browser, viewport={"width": 360, "height": 800}) as seen:
        watching.login(seen.page, VIEWER)
        seen.page.goto(f"{watching.url}{path}")
        assert seen.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        offered = "main form[data-api], main a[href='/backups?create'], main a[href='/restore']"
        assert seen.page.locator(f"{offered} >> visible=true").count() == 0 or path == "/schedule"
        assert seen.page.locator("main button[type=submit]:not([disabled])").count() == 0
    assert seen.complaints == []


def test_a_studio_without_any_backup_is_welcomed(tmp_path: Path, browser: Browser) -> None:
    with serving(tmp_path) as server, watched(browser) as seen:
        server.login(seen.page)
        seen.page.goto(f"{server.url}/")
        expect(seen.page.get_by_role("heading", name="Nothing is protected yet")).to_be_visible()
        expect(seen.page.get_by_role("link", name="Create the first backup").first).to_be_visible()
    assert seen.complaints == []
    assert PASSWORD not in server.said()


def test_runs_of_one_day(watching: Server, page: Page) -> None:
    """The dashboard's days lead there; a day of the studio's zone begins at midnight."""
    today = watching.json("GET", "/api/v1/runs")["runs"][-1]["started"][:10]
    page.goto(watching.url)
    page.locator(f'svg a[href="/runs?day={today}"]').click()
    expect(page.get_by_label("Day", exact=True)).to_have_value(today)
    expect(page.get_by_role("link", name="Full backup").first).to_be_visible()
    expect(page.get_by_text(f"pinnacle-backup runs --day {today}")).to_be_attached()

    page.get_by_role("link", name="failed", exact=True).click()
    expect(page.get_by_label("Day", exact=True)).to_have_value(today)
    page.get_by_label("Day", exact=True).fill("2001-02-03")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(f"{watching.url}/runs?outcome=failed&day=2001-02-03")
    expect(page.get_by_role("heading", name="No such run")).to_be_visible()
    page.get_by_role("link", name="Any day").click()
    expect(page).to_have_url(f"{watching.url}/runs?outcome=failed")


@pytest.mark.parametrize("day", ["yesterdayish", "2026-02-30", "9999-12-31"])
def test_what_is_no_day_is_said(watching: Server, day: str) -> None:
    answer = watching.request("GET", f"/runs?day={day}", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "write it like 2026-11-22" in answer.text.replace("Write", "write")


def test_a_person_who_asks_wrongly_gets_a_page_and_a_program_a_problem(watching: Server) -> None:
    page = watching.request("GET", "/runs?outcome=zz", headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert "This cannot be understood: outcome" in page.text
    problem = watching.request("GET", "/api/v1/runs?outcome=zz", headers={"Accept": "text/html"})
    assert problem.json()["errors"][0]["field"] == "outcome"
