"""What the tests in a real browser share: one Chromium, one gallery, pages that are watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import expect

from .browser import CHROMIUM, Watched, chromium, watched
from .gallery import Gallery, serving
from .serving import Server
from .serving import serving as serving_studio

expect.set_options(timeout=120_000)  # a busy machine takes its time


_HERE = "tests/web/"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have each module's tests run in one worker, which share a server; and first, as they take longest."""
    ours = [item for item in items if item.nodeid.startswith(_HERE)]
    for item in ours:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items[:] = ours + [item for item in items if not item.nodeid.startswith(_HERE)]


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Chromium; what drives it has an event loop, which tests of other modules must not find."""
    if CHROMIUM is None:
        pytest.skip("chromium is missing")
    with chromium() as running:
        yield running


@pytest.fixture
def gallery() -> Iterator[Gallery]:
    with serving() as running:
        yield running


@pytest.fixture
def visit(browser: object, gallery: Gallery) -> Iterator[Callable[..., Watched]]:
    """Open a page of the gallery; whatever it complains of fails the test at its end."""
    with ExitStack() as open_pages:
        seen: list[Watched] = []

        def go(name: str, *, width: int = 1440, scheme: str = "light", **options: object) -> Watched:
            size = {"width": width, "height": 900}
            page = open_pages.enter_context(watched(browser, viewport=size, color_scheme=scheme, **options))
            seen.append(page)
            page.page.goto(f"{gallery.url}/{name}", wait_until="load")
            return page

        yield go
        assert [line for page in seen for line in page.complaints] == []


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that only look at it; who changes much takes ``serving(tmp_path)``."""
    with serving_studio(tmp_path_factory.mktemp("server")) as running:
        yield running
