"""Every kind of wrong configuration gives exactly one line that says where and what; none shows a secret."""

from __future__ import annotations

import json

import hypothesis
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pinnacle_backup.config.load import interpret
from pinnacle_backup.config.settings import ARRAY, settings
from pinnacle_backup.errors import ConfigError

CANARY = "c4nary-of-the-m1ne"


def message(document: object, environ: dict[str, str] | None = None) -> str:
    """Return what is said of the document."""
    with pytest.raises(ConfigError) as caught:
        interpret(json.dumps(document).encode(), name="config.json", root="/nowhere", environ=environ or {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            [],
            "config.json: expected an object with the sections backup, notifications, cloud_storage, logging",
        ),
        ({"backup": 5}, "config.json: backup: expected an object, found a number"),
        ({"backup": None}, "config.json: backup: expected an object, found null"),
        ({"backup": []}, "config.json: backup: expected an object, found an array"),
        (
            {"backup": {"retention_day": 3}},
            "config.json: backup.retention_day: unknown key; did you mean backup.retention_days?",
        ),
        (
            {"backup": {"schedule": {"daily_full": True}}},
            "config.json: backup.schedule.daily_full: unknown key; did you mean backup.schedule.daily_full_backup?",
        ),
        (
            {"notifications": {"server": "x"}},
            "config.json: notifications.server: unknown key; did you mean notifications.smtp.server?",
        ),
        ({"backup": {"zzz": 1}}, "config.json: backup.zzz: unknown key"),
        (
            {"backup": {"a\n\x1b[2J` - at `$.x": 1}},
            "config.json: backup.a\\n\\x1b[2J` - at `$.x: unknown key",
        ),
        ({"backup": {"x" * 100: 1}}, f"config.json: backup.{'x' * 57}...: unknown key"),
        ({"backup": {"enabled": "yes"}}, 'config.json: backup.enabled: expected true or false, found "yes"'),
        ({"backup": {"enabled": 1}}, "config.json: backup.enabled: expected true or false, found 1"),
        (
            {"backup": {"retention_days": -1}},
            "config.json: backup.retention_days: expected a whole number from 0 to 36500, found -1",
        ),
        (
            {"backup": {"retention_days": 1.5}},
            "config.json: backup.retention_days: expected a whole number from 0 to 36500, found 1.5",
        ),
        (
            {"backup": {"retention_days": True}},
            "config.json: backup.retention_days: expected a whole number from 0 to 36500, found true",
        ),
        (
            {"backup": {"retention_days": {}}},
            "config.json: backup.retention_days: expected a whole number from 0 to 36500, found an object",
        ),
        (
            {"backup": {"workers": 10**40}},
            f"config.json: backup.workers: expected a whole number from 0 to 256, found {10**40}",
        ),
        (
            {"notifications": {"smtp": {"port": 0}}},
            "config.json: notifications.smtp.port: expected a whole number from 1 to 65535, found 0",
        ),
        (
            {"notifications": {"smtp": {"port": 65536}}},
            "config.json: notifications.smtp.port: expected a whole number from 1 to 65535, found 65536",
        ),
        (
            {"backup": {"paths": "logs/"}},
            'config.json: backup.paths: expected an array of texts, found "logs/"',
        ),
        ({"backup": {"paths": ["a", None]}}, "config.json: backup.paths[1]: expected a path, found null"),
        ({"backup": {"paths": [""]}}, 'config.json: backup.paths[0]: expected a path, found ""'),
        ({"backup": {"paths": ["a\0b"]}}, 'config.json: backup.paths[0]: expected a path, found "a\\x00b"'),
        (
            {"backup": {"compression": "lz4"}},
            'config.json: backup.compression: expected "gzip" or "zstd", found "lz4"',
        ),
        (
            {"backup": {"compression_level": 9}},
            "config.json: backup.compression_level: expected 0 to 3 with gzip, found 9",
        ),
        (
            {"backup": {"schedule": {"daily_full_backup_time": "24:00"}}},
            (
                "config.json: backup.schedule.daily_full_backup_time: "
                'expected a time of day such as "02:00", found "24:00"'
            ),
        ),
        (
            {"backup": {"schedule": {"daily_full_backup_time": "02:00\n"}}},
            (
                "config.json: backup.schedule.daily_full_backup_time: "
                'expected a time of day such as "02:00", found "02:00\\n"'
            ),
        ),
        (
            {"notifications": {"smtp": {"to_email": "a@b.c\nBcc: x@y.z"}}},
            'config.json: notifications.smtp.to_email: expected one or more e-mail addresses, separated by commas, found "a@b.c\\nBcc: x@y.z"',
        ),
        (
            {"cloud_storage": {"provider": "ftp"}},
            'config.json: cloud_storage.provider: expected "azure" or "gcs" or "s3", found "ftp"',
        ),
        (
            {"backup": {"primary": "far"}},
            (
                "config.json: backup.primary: "
                "expected a destination (none: cloud_storage is not enabled), found far"
            ),
        ),
        (
            {"cloud_storage": {"prefix": "../up"}},
            'config.json: cloud_storage.prefix: expected a place such as "studio/backups", found "../up"',
        ),
        (
            {"backup": {"destinations": [{"name": "usb", "provider": "local"}]}},
            "config.json: backup.destinations[0].path: expected a folder with local, and none with a bucket",
        ),
        (
            {"cloud_storage": {"enabled": True, "bucket": ""}},
            "config.json: cloud_storage.bucket: expected the name of a bucket, found an empty text",
        ),
        (
            {"cloud_storage": {"endpoint_url": "ftp://x"}},
            (
                "config.json: cloud_storage.endpoint_url: "
                'expected a URL such as "https://s3.example.com" or null, found "ftp://x"'
            ),
        ),
        (
            {"logging": {"level": "info"}},
            'config.json: logging.level: expected "DEBUG" or "ERROR" or "INFO" or "WARNING", found "info"',
        ),
        (
            {"backup": {"directory": "x" * 200}, "logging": {"directory": 7}},
            "config.json: logging.directory: expected a path, found 7",
        ),
    ],
)
def test_the_message_is(document: object, expected: str):
    assert message(document) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (
            {"backup": {"encryption": {"key": 12345678}}},
            "config.json: backup.encryption.key: expected text or null, found a number",
        ),
        (
            {"backup": {"encryption": {"key": [CANARY]}}},
            "config.json: backup.encryption.key: expected text or null, found an array",
        ),
        (
            {"backup": {"encryption": CANARY}},
            "config.json: backup.encryption: expected an object, found text",
        ),
        (
            {"backup": {"encryption": {"password": CANARY}}},
            "config.json: backup.encryption.password: unknown key; did you mean notifications.smtp.password?",
        ),
        (
            {"cloud_storage": {"endpoint_url": f"https://me:{CANARY}@host"}},
            (
                "config.json: cloud_storage.endpoint_url: "
                'expected a URL such as "https://s3.example.com" or null, found "https://********@host"'
            ),
        ),
        (
            {"cloud_storage": {"enabled": True, "secret_key": CANARY}},
            "config.json: cloud_storage.access_key: expected access_key and secret_key together, or both null",
        ),
    ],
)
def test_a_secret_is_not_shown(document: object, expected: str):
    assert message(document) == expected


@hypothesis.settings(deadline=None)
@given(st.sampled_from(sorted(settings())), st.sampled_from([[CANARY], {"a": CANARY}, {CANARY[0]: [CANARY]}]))
def test_what_stands_inside_a_wrong_value_is_never_shown(path: str, value: object):
    setting = settings()[path]
    assume("[" not in path and not (setting.kind == ARRAY and isinstance(value, list)))
    for key in reversed(path.split(".")):
        value = {key: value}

    assert CANARY not in message(value)


def test_the_hint_leads_to_the_reference():
    with pytest.raises(ConfigError) as caught:
        interpret(b'{"backup": {"x": 1}}', name="c", root="/nowhere", environ={})
    assert caught.value.hint == "docs/reference/configuration.md lists every key and what it may be"


def test_half_a_surrogate_pair_is_named():
    with pytest.raises(ConfigError, match="half a surrogate pair"):
        interpret(b'{"backup": {"\\ud800": 1}}', name="c", root="/nowhere", environ={})
    with pytest.raises(ConfigError, match="half a surrogate pair"):
        interpret(b'{"backup": {"paths": ["data/", "\\ud800"]}}', name="c", root="/nowhere", environ={})
    assert interpret(
        b'{"backup": {"paths": ["\\udcff"]}}', name="c", root="/nowhere", environ={}
    ).backup.paths
    with pytest.raises(ConfigError, match="key: expected text or null, found text with unusual characters"):
        interpret(b'{"backup": {"encryption": {"key": "\\ud800"}}}', name="c", root="/nowhere", environ={})
