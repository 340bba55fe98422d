"""What one process uses to talk to one place: obstore's stores, threads, how fast it may be."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, Final

from pinnacle_backup import __version__
from pinnacle_backup.errors import StoreError
from pinnacle_backup.model.paths import printable
from pinnacle_backup.store.cloud.bandwidth import Bandwidth
from pinnacle_backup.store.cloud.blobs.failures import failures
from pinnacle_backup.store.cloud.blobs.runtime import obstore_here
from pinnacle_backup.store.cloud.place import GCS, CloudPlace

SMALL_READS: Final = 16
"""How many small requests run at once at most."""

_RETRIES: Final = {
    "max_retries": 5,
    "retry_timeout": timedelta(minutes=3),
    "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=10), "base": 2},
}
_CONNECT_TIME: Final = timedelta(seconds=10)
_SILENCE: Final = timedelta(seconds=60)
_REQUEST_TIME: Final = timedelta(minutes=30)


class Client:
    """
    Never shared between processes; see ``client_to``.

    Attributes:
        place: Where to.
        obstore: The module.
        reader: obstore's store to read by: a server that falls silent is left.
        writer: obstore's store to write by: a server that takes a part is silent for long.
        pool: For requests that run at once. Whoever runs in it never waits for another that does.
        upload, download: Pace what goes and comes.
    """

    def __init__(self, place: CloudPlace) -> None:
        self.place, self.obstore = place, obstore_here()
        self.reader = self._store(read_timeout=_SILENCE)
        self.writer = self._store()
        self.pool = ThreadPoolExecutor(max(place.connections, SMALL_READS), thread_name_prefix="cloud")
        self.upload, self.download = Bandwidth(place.upload_limit), Bandwidth(place.download_limit)

    def ask(self, operation: str, *args: Any, **options: Any) -> Any:
        """
        Make a request: call a function of obstore, which may take minutes, and raise what it raises.

        Signals have to wait while the main thread is not in Python. So it has a thread call, whom nobody
        waits for when the program ends.
        """
        function = getattr(self.obstore, operation)
        if threading.current_thread() is not threading.main_thread():
            return function(*args, **options)
        answer: Future[Any] = Future()

        def call() -> None:
            try:
                answer.set_result(function(*args, **options))
            except BaseException as error:  # noqa: BLE001 - told to whoever asked
                answer.set_exception(error)

        threading.Thread(target=call, name="cloud", daemon=True).start()
        return answer.result()

    def _store(self, **times: timedelta) -> Any:
        options: dict[str, Any] = {
            "allow_http": self.place.endpoint_url.startswith("http://"),
            "connect_timeout": _CONNECT_TIME,
            "timeout": _REQUEST_TIME,
            "user_agent": f"pinnacle-backup/{__version__} obstore/{self.obstore.__version__}",
            **times,
        }
        if self.place.ca_file:
            options["root_certificate"] = _read(self.place.ca_file)
        kinds = self.obstore._store  # noqa: SLF001 - what obstore.store shows, but of this process
        kind, config = (kinds.GCSStore, _gcs) if self.place.provider == GCS else (kinds.AzureStore, _azure)
        return kind(
            self.place.bucket, config=config(self.place), client_options=options, retry_config=_RETRIES
        )


def _gcs(place: CloudPlace) -> dict[str, str]:
    given = {"service_account": place.credentials_file, "base_url": place.endpoint_url}
    return {key: value for key, value in given.items() if value}


def _azure(place: CloudPlace) -> dict[str, str]:
    given = {
        "account_name": place.access_key,
        "account_key": place.secret_key,
        "endpoint": place.endpoint_url,
    }
    return {key: value for key, value in given.items() if value}


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise StoreError(f"cannot read {printable(path)}: {error.strerror}", hint="check ca_file") from error


# Which connections are open is a fact about the process, so this stands here and is passed nowhere. What a
# child finds of its parent it leaves alone.
_open_here: Final[dict[tuple[int, CloudPlace], Client]] = {}
_opening: Final = threading.Lock()


def client_to(place: CloudPlace) -> Client:
    """
    Return this process's client; made when it is first asked for.

    Raises:
        StoreError: The place makes no sense: no account, a key that is none.
    """
    key = os.getpid(), place
    with _opening:
        if key not in _open_here:
            with failures(place, "reach"):
                _open_here[key] = Client(place)
        return _open_here[key]


os.register_at_fork(
    before=_opening.acquire, after_in_parent=_opening.release, after_in_child=_opening.release
)
