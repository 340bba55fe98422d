"""Debian's Chromium for tests, and pages that tell what went wrong in them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, Request, sync_playwright

SIZES = (360, 768, 1440)
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
"""The first is the same browser without what draws windows, and takes half of the processor time."""
_LISTEN = """document.addEventListener("securitypolicyviolation",
    (event) => console.error("violation", event.violatedDirective, event.blockedURI, event.sourceFile, event.lineNumber))"""


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Watched:
    """A page, and everything that it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)


@contextmanager
def watched(browser: Browser, **options: object) -> Iterator[Watched]:
    """Give a fresh page whose errors, violations of the policy and failed requests are written down."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(120_000)  # a busy machine takes its time
    context.add_init_script(_LISTEN)
    seen = Watched(context.new_page())
    seen.page.on(
        "console", lambda line: line.type in ("error", "warning") and seen.complaints.append(line.text)
    )
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("requestfailed", lambda request: _failed(seen, request))
    try:
        yield seen
    finally:
        context.close()


def _failed(seen: Watched, request: Request) -> None:
    """Write a failed request down, but not one that ended because the page was left, or needs scripts."""
    if request.failure not in ("net::ERR_ABORTED", "csp"):
        seen.complaints.append(f"{request.url}: {request.failure}")
