"""The configuration may change while the scheduler runs: it is read again, and a wrong one is told of."""

from __future__ import annotations

from collections.abc import Callable

from pinnacle_backup.app.place import Place
from pinnacle_backup.app.studio import Studio
from pinnacle_backup.errors import ConfigError
from pinnacle_backup.model.paths import printable


class ConfigurationWatch:
    """Gives the studio with the configuration in force; a wrong one leaves the last good one in force."""

    def __init__(self, studio: Studio, reopen: Callable[[Place], Studio]) -> None:
        self._studio = studio
        self._reopen = reopen
        self._seen = studio.place.stamps(studio.configuration)
        self.fault: ConfigError | None = None

    def current(self) -> Studio:
        """Return the studio, opened again where its configuration has changed, or was wrong."""
        stamps = self._studio.place.stamps(self._studio.configuration)
        if stamps != self._seen or self.fault is not None:
            self._seen = stamps
            self._open_again()
        return self._studio

    def _open_again(self) -> None:
        try:
            opened = self._opened()
        except ConfigError as error:
            is_news = self.fault is None or self.fault.message != error.message
            self.fault = error
            if is_news:
                line = "scheduler: %s; the last good configuration stays in force"
                self._studio.log.error(line, error.message)
            return
        self.fault = None
        opened.log.info("scheduler: the configuration was read again")
        self._studio.state.close()
        self._studio.logs.close()
        self._studio = opened

    def _opened(self) -> Studio:
        if self._seen[0] is None:  # the defaults are for a studio that never had one
            raise ConfigError(f"{printable(self._studio.place.file)} is gone", hint="put it back")
        return self._reopen(self._studio.place)
