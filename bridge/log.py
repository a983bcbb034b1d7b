"""Logging: structlog in front, the libraries' own loggers behind it, no secret in either."""

import json
import logging
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Literal

import structlog
from structlog.stdlib import BoundLogger
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
CHATTY = ("httpx", "httpcore", "discord", "telegram", "aiohttp", "asyncio")

Format = Literal["auto", "text", "json"]


def get_logger(name: str) -> BoundLogger:
    """A logger that writes an event's name and its fields; ids, never words of a person."""
    logger: BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def bound(**fields: object) -> AbstractContextManager[None]:
    """Put these fields on every line that is logged inside the block, by libraries too."""
    return structlog.contextvars.bound_contextvars(**fields)


def configure(
    *, level: str = "info", format_: Format = "auto", secrets: Iterable[str] = ()
) -> None:
    """Set up logging for the process: text on a terminal, else JSON lines, to stderr.

    Whatever of `secrets` would be printed, by us or by a library, is replaced.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    is_text = format_ == "text" or (format_ == "auto" and sys.stderr.isatty())
    finish: list[Processor] = (
        # The default traceback shows local variables: people's words among them.
        [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
        if is_text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *finish,
                last(hiding(secrets)),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in CHATTY:
        # They print whole URLs at INFO, and Telegram's hold the bot's token.
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def hiding(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that replaces whatever of `secrets` stands in a text."""
    plain = {secret for secret in secrets if secret}
    quoted = {json.dumps(secret)[1:-1] for secret in plain}
    known = sorted(plain | quoted, key=len, reverse=True)

    def hide(text: str) -> str:
        for secret in known:
            text = text.replace(secret, HIDDEN)
        return text

    return hide


def last(hide: Callable[[str], str]) -> Processor:
    """A last processor, which works on the finished line, so that nothing gets around it."""

    def process(_logger: WrappedLogger, _method: str, line: EventDict) -> str:
        # The renderer before has made a string of the event.
        return hide(str(line))

    return process
