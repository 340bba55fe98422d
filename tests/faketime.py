"""
Another time for other programs, by libfaketime.

Not by its wrapper: that stumbles over what one that was killed has left in shared memory.
"""

from __future__ import annotations

from glob import glob

LIBRARY = next(iter(glob("/usr/lib/*/faketime/libfaketime.so.1")), "")


def faked(moment: str) -> dict[str, str]:
    """
    Return the environment of a program for which it is another time.

    Args:
        moment: ``+60s`` for a clock that goes before ours, ``1732198800`` for one that stands.
    """
    return {"LD_PRELOAD": LIBRARY, "FAKETIME": moment, "FAKETIME_FMT": "%s"}
