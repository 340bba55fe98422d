"""What all tests share."""

from __future__ import annotations

import signal

# A shell that ignores hang-ups (nohup) hands that on; tests that send one need a program that hears it.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
