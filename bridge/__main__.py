"""The command line: coze-bridge run | check | sandbox."""

import asyncio
import os
import signal
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from bridge import app, checking, log
from bridge.config import Config, check_bind, resolve
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


def tell_version(is_wanted: bool) -> None:  # noqa: FBT001 - an option's value
    """Print the version, and end."""
    if is_wanted:
        typer.echo(f"coze-bridge {version('coze-bridge')}")
        raise typer.Exit


@cli.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Which this is.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@cli.command()
def run(config: ConfigPath = None) -> None:
    """Answer messages until interrupted."""
    loaded = app.load(config, os.environ)
    log.configure(level=loaded.log.level, format_=loaded.log.format, secrets=loaded.secrets)
    asyncio.run(until_signalled(loaded))


@cli.command()
def check(config: ConfigPath = None) -> None:
    """Ask Redis, Coze and each platform whether the configuration is right."""
    loaded = app.load(config, os.environ)
    # What is wrong is said in sentences; the log would only repeat it.
    log.configure(level="critical", secrets=loaded.secrets)
    hide = log.hiding(loaded.secrets)
    if not asyncio.run(checking.check(loaded, lambda line: typer.echo(hide(line)))):
        raise typer.Exit(USAGE_ERROR)


@cli.command()
def sandbox(
    bind: Annotated[str, typer.Option(help="Where the page is served.")] = "127.0.0.1:8765",
    coze: Annotated[str, typer.Option(help="Talk to a real agent: its token, or env:NAME.")] = "",
    bot_id: Annotated[str, typer.Option(help="The real agent's id.")] = "",
    base_url: Annotated[str, typer.Option(help="Where it lives.")] = "https://api.coze.com",
    *,
    opens: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page, where there is a display.")
    ] = True,
) -> None:
    """Try everything in a browser: emulated platforms, an emulated agent, the real bridge."""
    if bool(coze) != bool(bot_id):
        raise ConfigError("--coze", "a real agent needs both: --coze TOKEN and --bot-id NUMBER")
    check_bind("--bind", bind)
    token = str(resolve(coze, os.environ, "--coze"))
    log.configure(level="warning", secrets=[token])
    agent = {"bot_id": bot_id, "token": token, "base_url": base_url} if token else None
    asyncio.run(show(bind, agent, opens=opens and sys.stdout.isatty() and has_display()))


async def until_signalled(config: Config) -> None:
    """Run until SIGINT or SIGTERM."""
    stopping = on_signals()
    async with app.opened(config) as application:
        await application.run(stopping)
    log.get_logger(__name__).info("stopped")


async def show(bind: str, agent: Mapping[str, str] | None, *, opens: bool) -> None:
    """Serve the sandbox until SIGINT or SIGTERM; `opens` shows it in the person's browser."""
    stopping = on_signals()
    with tempfile.TemporaryDirectory(prefix="coze-bridge-") as directory:
        data_dir = Path(os.environ.get("COZE_BRIDGE_DATA_DIR") or directory)
        async with (
            world(data_dir, agent) as surroundings,
            serving(Page(surroundings).application(), bind) as url,
        ):
            typer.echo(f"The sandbox is at {url}/ (Ctrl-C ends it)")
            if opens:
                with suppress(webbrowser.Error, OSError):
                    await asyncio.to_thread(webbrowser.open, f"{url}/")
            await stopping.wait()


def has_display() -> bool:
    """Whether a browser could show anything; in a bare terminal a text browser would take over."""
    is_desktop = sys.platform in {"darwin", "win32"}
    return is_desktop or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


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
