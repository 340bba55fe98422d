"""What nobody foresaw: it is written down with all that is known, and the client is told that it was."""

from __future__ import annotations

from traceback import format_exception

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pinnacle_backup.config.redact import one_line
from pinnacle_backup.errors import PinnacleError
from pinnacle_backup.web.auth import services_of
from pinnacle_backup.web.problems import answer
from pinnacle_backup.web.security import TooLarge


class Unexpected:
    """
    Lets no error out.

    It stands inside of ``Security``, unlike the framework's own, so that these answers have all its headers.

    Args:
        app: What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except (ClientDisconnect, TooLarge):
            raise
        except Exception as error:  # noqa: BLE001 - the last place where anything can be told
            response = await run_in_threadpool(written_down, Request(scope), error)
            if not started:
                await response(scope, receive, send)


def written_down(request: Request, error: Exception) -> Response:
    """Write an error with its traceback into the log, one line to whoever watches, and return the answer."""
    services = services_of(request)
    title = "Something unexpected happened"
    try:
        studio = services.studio()
        where = studio.log_failure(f"{request.method} {request.url.path}: {''.join(format_exception(error))}")
        words = studio.redact(f"{type(error).__name__}: {error}")
    except PinnacleError:
        where, words = "", type(error).__name__
    services.warn(one_line(f"unexpected error: {words}", limit=300) + (f" (see {where})" if where else ""))
    hint = f"see {where}" if where else ""
    return answer(request, 500, title, "It was written down." if where else "", code="unexpected", hint=hint)
