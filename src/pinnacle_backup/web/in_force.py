"""The configuration in force: where its file becomes wrong while the server runs, the last good one."""

from __future__ import annotations

import os
import shlex
import threading

from pinnacle_backup.app.place import Place, Stamp
from pinnacle_backup.config.schema import Configuration
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.paths import printable


class InForce:
    """
    Gives the configuration in force to all threads; it is the same object for as long as nothing changes.

    Args:
        place: Where the studio is.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._good: Configuration | None = None
        self._seen: tuple[Stamp, ...] = ()
        self._had_file = False
        self.fault: ConfigError | None = None

    def look(self) -> Configuration:
        """
        Return the configuration in force, read again where its file has changed, or was wrong.

        Raises:
            ConfigError: It is wrong, and there was no good one before.
        """
        with self._lock:
            stamps = self._place.stamps(self._good or Configuration())
            if self._good is None or self.fault is not None or stamps != self._seen:
                self._seen = stamps
                self._good = self._read(self._good)
            return self._good

    def _read(self, last_good: Configuration | None) -> Configuration:
        try:
            found = self._from_file()
        except ConfigError as error:
            if last_good is None:
                raise
            self.fault = error
            return last_good
        self._had_file, self.fault = self._seen[0] is not None, None
        return found

    def _from_file(self) -> Configuration:
        if self._seen[0] is None and self._had_file:  # the defaults are for a studio that never had one
            name, root = os.path.basename(self._place.file), shlex.quote(printable(self._place.root))
            back = f"pinnacle-backup restore latest {name} --root {root}"
            hint = f"put it back, or bring an earlier one back: {back}"
            raise ConfigError(f"{printable(self._place.file)} is gone", hint=hint)
        return self._place.configuration()
