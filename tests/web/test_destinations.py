"""The page of the other places, over a real bucket: what is where, copy, test, and no secret on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ..s3_servers import ADMIN, Bucket
from .browser import watched
from .serving import Server, serving


@pytest.fixture
def server(tmp_path: Path, bucket: Bucket) -> Iterator[Server]:
    """A server whose backups go to a bucket as well."""
    with serving(tmp_path) as server:
        file = server.root / "config.json"
        sections = json.loads(file.read_text())
        sections["cloud_storage"] = {
            "enabled": True,
            "bucket": bucket.name,
            "access_key": ADMIN.access_key,
            "secret_key": ADMIN.secret_key,
            "endpoint_url": bucket.server.url,
        }
        file.write_text(json.dumps(sections))
        file.chmod(0o600)
        yield server


def test_what_is_where_copied_and_tested(server: Server, bucket: Bucket, browser: Browser) -> None:
    server.studio.good("create", "--name", "one")
    assert "one.tar.gz" in bucket.sizes()
    with watched(browser) as seen:
        page = seen.page
        server.login(page)
        page.goto(f"{server.url}/destinations")
        card = page.locator(".card", has=page.get_by_role("heading", name="cloud"))
        expect(card).to_contain_text("has every backup")
        expect(card).to_contain_text(f"s3://{bucket.name}")
        card.get_by_role("button", name="Test").click()
        expect(card.locator("[data-findings] li").first).to_contain_text("Address")
        assert "failed" not in card.locator("[data-findings]").inner_text()
        card.get_by_role("button", name="Copy there now").click()
        page.wait_for_url("**/runs/*")
        expect(page.get_by_role("main")).to_contain_text("cloud")
        page.goto(f"{server.url}/backups")
        expect(page.get_by_role("main")).to_contain_text("cloud")


def test_programs_see_copy_and_test(server: Server, bucket: Bucket) -> None:
    server.studio.good("create", "--name", "one")
    (place,) = server.json("GET", "/api/v1/destinations")["destinations"]
    assert (place["name"], place["backups"], place["missing"]) == ("cloud", 1, [])
    assert server.json("GET", "/api/v1/backups")["also_in"] == {"one.tar.gz": ["cloud"]}
    found = server.json("POST", "/api/v1/destinations/test", json={"destination": "cloud"})
    assert {finding["verdict"] for finding in found["findings"]} <= {"good", "note"}
    assert ADMIN.secret_key not in json.dumps(found)
    refused = server.request("POST", "/api/v1/destinations/test", json={"destination": "169.254.169.254"})
    assert refused.status_code == 422  # nobody can have the server ask addresses of his own
    refused = server.request("POST", "/api/v1/destinations/copy", json={"destination": "/etc"})
    assert refused.status_code == 422


def test_secrets_of_destinations_are_neither_shown_nor_lost(server: Server) -> None:
    far = {"name": "far", "provider": "s3", "bucket": "bbb", "access_key": "AK", "secret_key": "hidden-7f3"}
    file = server.root / "config.json"
    sections = json.loads(file.read_text())
    sections["backup"]["destinations"] = [far]
    file.write_text(json.dumps(sections))
    text = server.request("GET", "/api/v1/settings").text
    assert "hidden-7f3" not in text
    shown = next(s for s in json.loads(text)["settings"] if s["path"] == "backup.destinations")["value"]
    assert server.json("POST", "/api/v1/settings/check", json={"backup.destinations": shown})["changes"] == []
    changed = [shown[0] | {"prefix": "new"}]
    asked = server.json("PUT", "/api/v1/settings", json={"backup.destinations": changed})
    assert "hidden-7f3" not in json.dumps(asked)
    (written,) = json.loads(file.read_text())["backup"]["destinations"]
    assert (written["prefix"], written["secret_key"]) == ("new", "hidden-7f3")
    other = [shown[0] | {"name": "other"}]
    answer = server.request("PUT", "/api/v1/settings", json={"backup.destinations": other})
    assert answer.status_code == 422
    assert "stands for a secret" in answer.text
