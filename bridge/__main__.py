"""The command line: coze-bridge run | check | sandbox."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from bridge import app, checking, log
from bridge.config import Config
from bridge.errors import BridgeError, ConfigError
from bridge.sandbox.page import Page
from bridge.sandbox.world import world
from bridge.serving import serving

FAILURE = 1
USAGE_ERROR = 2

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A Coze agent in Telegram and Discord.",
)

ConfigPath = Annotated[
    Path | None,
    typer.Option(help="A TOML file; without one, ./config.toml or the environment is used."),
]


@cli.command()
def run(config: ConfigPath = None) -> None:
    """Answer messages until interrupted."""
    loaded = app.load(config, os.environ)
    start_logging(loaded)
    asyncio.run(until_signalled(loaded))


@cli.command()
def check(config: ConfigPath = None) -> None:
    """Ask Redis, Coze and each platform whether the configuration is right."""
    loaded = app.load(config, os.environ)
    start_logging(loaded)
    if not asyncio.run(checking.check(loaded, typer.echo)):
        raise typer.Exit(USAGE_ERROR)


@cli.command()
def sandbox(
    bind: Annotated[str, typer.Option(help="Where the page is served.")] = "127.0.0.1:8765",
    coze: Annotated[str, typer.Option(help="Talk to a real agent: its token, or env:NAME.")] = "",
    bot_id: Annotated[str, typer.Option(help="The real agent's id.")] = "",
    base_url: Annotated[str, typer.Option(help="Where it lives.")] = "https://api.coze.com",
) -> None:
    """Try everything in a browser: emulated platforms, an emulated agent, the real bridge."""
    agent = {"bot_id": bot_id, "token": coze, "base_url": base_url} if coze else None
    log.configure(level="warning", secrets=[coze])
    asyncio.run(show(bind, agent))


async def until_signalled(config: Config) -> None:
    """Run until SIGINT or SIGTERM."""
    stopping = on_signals()
    async with app.opened(config) as application:
        await application.run(stopping)


async def show(bind: str, agent: Mapping[str, str] | None) -> None:
    """Serve the sandbox until SIGINT or SIGTERM."""
    stopping = on_signals()
    with tempfile.TemporaryDirectory(prefix="coze-bridge-") as directory:
        data_dir = Path(os.environ.get("COZE_BRIDGE_DATA_DIR") or directory)
        async with (
            world(data_dir, agent) as surroundings,
            serving(Page(surroundings).application(), bind) as url,
        ):
            typer.echo(f"The sandbox is at {url}/ (Ctrl-C ends it)")
            await stopping.wait()


def on_signals() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set; a second signal ends the process at once."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_or_die, stopping, number)
    return stopping


def stop_or_die(stopping: asyncio.Event, number: int) -> None:
    """First signal: an orderly end; what is unfinished is kept. Second: out."""
    if stopping.is_set():
        os._exit(128 + number)
    stopping.set()


def start_logging(config: Config) -> None:
    """Set up the log as configured, with all secrets hidden."""
    log.configure(level=config.log.level, format_=config.log.format, secrets=config.secrets)


def main() -> None:
    """Run the command line; what cannot be started is one line, status 2 for a wrong setting."""
    try:
        cli()
    except* BridgeError as group:
        errors = leaves(group)
        for error in errors:
            typer.echo(f"coze-bridge: {error}", err=True)
        is_setting = any(isinstance(error, ConfigError) for error in errors)
        sys.exit(USAGE_ERROR if is_setting else FAILURE)


def leaves(group: BaseExceptionGroup[BridgeError]) -> list[BaseException]:
    """The errors in a group of groups."""
    return [
        leaf
        for error in group.exceptions
        for leaf in (leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    ]


if __name__ == "__main__":
    main()
