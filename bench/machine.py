"""What the figures depend on: processor, memory, system, versions. No names of hosts or people."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime

GIB = 1 << 30
PROGRAMS = {
    "restic": ("restic", "version"),
    "Borg": ("borg", "--version"),
    "duplicity": ("duplicity", "--version"),
    "GNU tar": ("tar", "--version"),
    "pigz": ("pigz", "--version"),
    "zstd": ("zstd", "--version"),
    "rclone": ("rclone", "version"),
}


def facts(place: str) -> dict[str, str]:
    """Return facts by name; `place` is the folder where the data lies."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Processor": f"{_processor()}, {os.cpu_count()} CPUs",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.0f} GiB",
        "System": f"Linux {platform.release().split('-')[0]}, {_file_system(place)}",
        "Python": platform.python_version(),
        "Pinnacle Backup": _version_of_project(),
        **{name: found for name, words in PROGRAMS.items() if (found := _version(*words))},
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _file_system(place: str) -> str:
    """Return the type of the file system, and of ext4 whether it has a journal, which restores depend on."""
    number = os.stat(place).st_dev
    device = f"{os.major(number)}:{os.minor(number)}"
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        mounts = [line.split() for line in file]
    kinds = [mount[mount.index("-") + 1 :] for mount in mounts if mount[2] == device]
    if not kinds:
        return "unknown file system"
    kind, source, *_ = kinds[-1]
    if kind != "ext4":
        return kind
    return f"ext4 {'with' if _has_journal(source, device) else 'without'} a journal"


def _has_journal(source: str, device: str) -> bool:
    """Look where ext4 shows its options: `data=` is one of journals only."""
    name = os.path.basename(os.path.realpath(f"/sys/dev/block/{device}")) or os.path.basename(source)
    try:
        with open(f"/proc/fs/ext4/{name}/options", encoding="utf-8") as file:
            return "data=" in file.read()
    except FileNotFoundError:
        return True


def _version(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
    return found[0] if found else "unknown"


def _version_of_project() -> str:
    project = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(project, "src/pinnacle_backup/__init__.py"), encoding="utf-8") as file:
        found = re.search(r'__version__ = "(.*)"', file.read())
    describe = ["git", "-C", project, "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    changed = subprocess.run(
        ["git", "-C", project, "status", "--porcelain", "src"], capture_output=True, check=False
    ).stdout
    state = f"{commit or 'no commit'}{', with changes' if changed else ''}"
    return f"{found[1] if found else ''} ({state})"
