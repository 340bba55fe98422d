"""Puts the application together."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, FastAPI

from pinnacle_backup import __version__
from pinnacle_backup.web import problems
from pinnacle_backup.web.proxies import BehindProxy
from pinnacle_backup.web.routes import api, pages
from pinnacle_backup.web.security import Security
from pinnacle_backup.web.services import Services
from pinnacle_backup.web.static_files import packaged
from pinnacle_backup.web.unexpected import Unexpected

PUBLIC: Final = frozenset(
    (
        "GET /health",
        "HEAD /health",
        "GET /login",
        "POST /logout",
        "GET /setup",
        "POST /api/v1/session",
        "DELETE /api/v1/session",
        "GET /api/v1/setup",
        "POST /api/v1/setup",
    )
)
"""The routes that nobody has to be logged in for, besides ``/static``; a test compares it with all routes."""


def create_app(services: Services) -> FastAPI:
    """
    Return the application.

    Args:
        services: What all requests share.
    """
    app = FastAPI(
        title="Pinnacle Backup",
        version=__version__,
        summary="Backup and recovery of a studio.",
        openapi_url=None,  # ours is for those who are logged in, see routes.api.description
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = services
    problems.install(app)
    v1 = APIRouter(prefix="/api/v1")
    for module in api.modules():
        v1.include_router(module.router)
    app.include_router(v1)
    for module in pages.modules():
        app.include_router(module.router)
    app.mount("/static", packaged(), name="static")
    app.add_middleware(Unexpected)
    app.add_middleware(Security, hosts=services.hosts)
    app.add_middleware(BehindProxy, trusted=services.proxies)
    return app
