"""What the documentation says about monitoring is what the program does."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pinnacle_backup.app.facts import facts_of
from pinnacle_backup.app.health import judge
from pinnacle_backup.app.metrics import exposition
from pinnacle_backup.cli.calendar import MARKS
from pinnacle_backup.model.calendar import DAY_STATES

from ..unit.app.clocked import Clocked

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    clocked = Clocked(tmp_path / "studio", NOW)
    clocked.create()
    clocked.now += timedelta(hours=1)
    return clocked


@pytest.fixture
def names(clocked: Clocked) -> set[str]:
    return {family.name for family in text_string_to_metric_families(exposition(clocked.studio))}


def test_every_state_of_a_day_is_explained_with_its_mark() -> None:
    text = (DOCS / "how-to/monitoring.md").read_text()
    explained = re.findall(r"^\| `([a-z-]+)` \| `(.{1,2})` \|", text, re.MULTILINE)
    assert explained == [(state, MARKS[state][0]) for state in DAY_STATES]


def test_alert_rules_are_yaml_about_metrics_that_there_are(names: set[str]) -> None:
    yaml = pytest.importorskip("yaml")
    (group,) = yaml.safe_load((DOCS / "monitoring/alerts.yml").read_text())["groups"]
    assert len({rule["alert"] for rule in group["rules"]}) == len(group["rules"]) > 5
    for rule in group["rules"]:
        assert set(re.findall(r"pinnacle_\w+", rule["expr"])) <= names
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


def test_every_metric_and_every_check_is_explained(names: set[str], clocked: Clocked) -> None:
    text = (DOCS / "how-to/monitoring.md").read_text()
    explained = set(re.findall(r"`([a-z_]+)", text))
    assert {name.removeprefix("pinnacle_") for name in names} - explained == {"build_info"}
    assert {check.name for check in judge(facts_of(clocked.studio)).checks} <= explained
