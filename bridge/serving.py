"""Serving HTTP: the only place that starts and stops an aiohttp server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from bridge.errors import ConfigError

GRACE = 2.0  # seconds that open requests get when the server stops


@asynccontextmanager
async def serving(app: web.Application, bind: str) -> AsyncIterator[str]:
    """Serve `app` on "host:port" (port 0: any free one) and yield its URL, without a slash.

    Raises ConfigError when nothing can be served there.
    """
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=GRACE)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise ConfigError(bind, f"cannot listen here: {error.strerror or error}") from error
    try:
        actual = runner.addresses[0][1]
        yield f"http://{'[' + host + ']' if ':' in host else host}:{actual}"
    finally:
        await runner.cleanup()
