"""What the figures depend on: processor, memory, system, versions. No names of hosts or people."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime

GIB = 1 << 30


def facts(place: str) -> dict[str, str]:
    """Return facts by name; `place` is the folder where the data lies."""
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Processor": f"{_processor()}, {os.cpu_count()} CPUs",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / GIB:.0f} GiB",
        "System": f"Linux {platform.release().split('-')[0]}, {_file_system(place)}",
        "Python": platform.python_version(),
        "Pinnacle Backup": _version_of_project(),
        "restic": _version("restic", "version"),
        "GNU tar": _version("tar", "--version"),
        "pigz": _version("pigz", "--version"),
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"^model name\s*: (.*)$", file.read(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _file_system(place: str) -> str:
    answer = subprocess.run(
        ["stat", "--file-system", "--format", "%T", place], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or "unknown file system"


def _version(*command: str) -> str:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "not installed"
    found = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
    return found[0] if found else "unknown"


def _version_of_project() -> str:
    project = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    with open(os.path.join(project, "src/pinnacle_backup/__init__.py"), encoding="utf-8") as file:
        found = re.search(r'__version__ = "(.*)"', file.read())
    describe = ["git", "-C", project, "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    return f"{found[1] if found else ''} ({commit or 'no commit'})"
