"""What the bucket itself does: versions, locks, rules for what was left unfinished."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.failures import status_of
from pinnacle_backup.store.cloud.probes.probe import REFUSED, Findings, Probe, failed, good, note

_LOCKED: Final = "make a new bucket with Object Lock and move there, or set object_lock_days to 0"


def locks(probe: Probe) -> Findings:
    """Ask for Object Lock, and whether the configuration asks for what is there."""
    days = probe.wanted.object_lock_days
    known, answer = _asked(probe, "get_object_lock_configuration")
    found = answer.get("ObjectLockConfiguration", {})
    if not known:
        asked = f"; {days} days are asked for" if days else ""
        yield note(
            "object lock", f"the key may not ask{asked}", "give it s3:GetBucketObjectLockConfiguration"
        )
    elif found.get("ObjectLockEnabled") == "Enabled":
        yield good("object lock", f"on; {_retention(found)}; {_asked_for(probe)}")
    elif days:
        yield failed(
            "object lock", f"the bucket has none, and object_lock_days asks for {days} days", _LOCKED
        )
    else:
        yield note("object lock", "off: who has the keys can delete the backups", _LOCK_ADVICE)


_LOCK_ADVICE: Final = "against blackmail: a bucket with Object Lock, and object_lock_days"


def _retention(found: dict[str, Any]) -> str:
    rule = found.get("Rule", {}).get("DefaultRetention", {})
    if not rule:
        return "the bucket keeps nothing of itself"
    term = f"{rule['Days']} days" if "Days" in rule else f"{rule.get('Years')} years"
    return f"the bucket keeps everything for {term} ({str(rule.get('Mode', '')).lower()})"


def _asked_for(probe: Probe) -> str:
    days, mode = probe.wanted.object_lock_days, probe.wanted.object_lock_mode
    return f"backups are kept for {days} days ({mode})" if days else "object_lock_days is 0"


def versions(probe: Probe) -> Findings:
    """Ask whether the bucket keeps what is overwritten or deleted."""
    known, answer = _asked(probe, "get_bucket_versioning")
    if not known:
        yield note("versions", "the key may not ask", "give it s3:GetBucketVersioning to have it tested")
    elif answer.get("Status") == "Enabled":
        yield good("versions", "kept: what is deleted can be brought back, until a rule removes it")
    else:
        yield note("versions", "not kept: what is deleted is gone")


def rules(probe: Probe) -> Findings:
    """Ask for a rule that removes uploads which nobody completed; they cost money and are not listed."""
    known, answer = _asked(probe, "get_bucket_lifecycle_configuration")
    found = [
        rule["AbortIncompleteMultipartUpload"].get("DaysAfterInitiation")
        for rule in answer.get("Rules", ())
        if "AbortIncompleteMultipartUpload" in rule and rule.get("Status") == "Enabled"
    ]
    if found:
        yield good(
            "unfinished",
            f"a rule of the bucket removes unfinished uploads after {printable(str(found[0]))} days",
        )
        return
    why = "no rule of the bucket" if known else "the key may not ask for a rule that"
    advice = "add a lifecycle rule: AbortIncompleteMultipartUpload after 7 days"
    yield note("unfinished", f"{why} removes unfinished uploads; the next backup does", advice)


def _asked(probe: Probe, operation: str) -> tuple[bool, dict[str, Any]]:
    """Return whether the server told, and what; servers say "there is none" as an error."""
    try:
        return True, probe.ask(operation)
    except ClientError as error:
        return status_of(error) != REFUSED, {}
    except BotoCoreError:
        return False, {}
