"""From the errors of python-telegram-bot to ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bridge.errors import (
    MessageGone,
    NotPermitted,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    Refused,
)
from bridge.log import get_logger

log = get_logger("telegram.errors")

# What Telegram says in a 400; compared without case, because the library capitalises some.
GONE = (
    "message to edit not found",
    "message can't be edited",
    "message to delete not found",
    "message_id_invalid",
)
FORBIDDEN = (
    "not enough rights",
    "have no rights",
    "need administrator rights",
    "chat_write_forbidden",
    "chat not found",
    "peer_id_invalid",
    "message thread not found",
    "topic_closed",
    "topic_deleted",
)
UNREADABLE = "Parsing the server response"  # how the library puts it
UNCHANGED = "message is not modified"
PATIENCE = 5.0  # seconds to wait for a flood limit that does not say how long

# With these no byte of the request has left.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


@contextmanager
def translating() -> Iterator[None]:
    """Raise a PlatformError where the library raises an error of its own."""
    try:
        yield
    except TelegramError as error:
        raise translated(error) from error
    except (AttributeError, KeyError, TypeError) as error:
        # The library takes any 200 for an answer of the Bot API, and a proxy's page for one, too.
        raise PlatformUnavailable("not an answer of the Bot API", is_ambiguous=True) from error


def translated(error: TelegramError) -> PlatformError:
    """Our error for one of the library's; the order matters, BadRequest is a NetworkError."""
    problem: PlatformError
    match error:
        case RetryAfter():
            problem = RateLimited(seconds(error))
        case ChatMigrated():
            log.warning("chat.migrated", chat=error.new_chat_id)
            problem = NotPermitted(f"the group became the supergroup {error.new_chat_id}")
        case Forbidden() | InvalidToken() if UNREADABLE in str(error):
            # The page of a gateway in between: its 403 or 404 says nothing about the bot.
            problem = PlatformUnavailable("not an answer of the Bot API", is_ambiguous=True)
        case Forbidden():
            problem = NotPermitted(said(error))
        case InvalidToken():
            problem = NotPermitted("Telegram does not accept the bot's token")
        case BadRequest():
            problem = refusal(said(error))
        case NetworkError():
            problem = failure(error)
        case Conflict():
            problem = PlatformUnavailable("another process reads with the same token")
        case _:
            problem = PlatformUnavailable("not an answer of the Bot API", is_ambiguous=True)
    return problem


def seconds(error: RetryAfter) -> float:
    """How long to be silent; the library changes from int to timedelta."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


def refusal(reason: str) -> PlatformError:
    """What a 400 means, by its words: Telegram has no finer codes."""
    lower = reason.lower()
    if any(words in lower for words in GONE):
        return MessageGone(reason)
    if any(words in lower for words in FORBIDDEN):
        return NotPermitted(reason)
    return Refused(reason)


def failure(error: NetworkError) -> PlatformError:
    """What a lost connection, a time-out or a 5xx means.

    An answer, even a 5xx, says that the call was not carried out; only silence is ambiguous.
    """
    cause = error.__cause__
    if cause is not None and not isinstance(cause, TelegramError):
        return PlatformUnavailable(type(cause).__name__, is_ambiguous=not isinstance(cause, UNSENT))
    reason = said(error)
    if reason.startswith("Too Many Requests"):
        wait = re.search(r"retry after (\d+)", reason)
        return RateLimited(float(wait[1]) if wait else PATIENCE)
    return PlatformUnavailable(reason)


def said(error: TelegramError) -> str:
    """Telegram's own words; the library appends a page it cannot read, which may repeat the URL."""
    return str(error).partition(". Parsing the server response")[0]
