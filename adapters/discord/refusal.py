"""What Discord means when it does not do what it is asked, and who can act on it.

https://docs.discord.com/developers/topics/opcodes-and-status-codes
"""

import httpx
import msgspec

from bridge.errors import (
    MessageGone,
    NotPermitted,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
    Refused,
)
from bridge.log import get_logger

log = get_logger(__name__)

UNKNOWN_MESSAGE = 10008
ARCHIVED_THREAD = 50083
WAIT_UNKNOWN = 60.0  # seconds, for a 429 that does not say


class Problem(msgspec.Struct, frozen=True):
    """The body of an error."""

    code: int = 0
    retry_after: float | None = None
    is_global: bool = msgspec.field(default=False, name="global")


def refusal(answer: httpx.Response, *, is_post: bool) -> PlatformError:
    """What an answer without success means, and what can be done about it."""
    problem = problem_of(answer)
    status, reason = answer.status_code, f"{answer.status_code}, code {problem.code}"
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limit(answer, problem)
    if problem.code == UNKNOWN_MESSAGE:
        return MessageGone(reason)
    if status == httpx.codes.UNAUTHORIZED:
        log.error("token_refused", status=status)
        return NotPermitted(reason)
    if status in (httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND) or problem.code == ARCHIVED_THREAD:
        return NotPermitted(reason)
    if answer.is_client_error:
        return Refused(reason)
    return PlatformUnavailable(reason, is_ambiguous=is_post)


def problem_of(answer: httpx.Response) -> Problem:
    """Read an error's body; a page from a proxy on the way tells nothing."""
    try:
        return msgspec.json.decode(answer.content, type=Problem)
    except msgspec.MsgspecError:
        return Problem()


def rate_limit(answer: httpx.Response, problem: Problem) -> RateLimited:
    """How long a 429 wants silence; https://docs.discord.com/developers/topics/rate-limits."""
    headers = answer.headers
    is_global = problem.is_global or headers.get("X-RateLimit-Scope") == "global"
    wait = problem.retry_after
    if wait is None:
        wait = seconds(headers.get("Retry-After", ""))
    # A 429 that is not Discord's comes from Cloudflare and concerns the whole address.
    is_foreign = problem == Problem() and "X-RateLimit-Scope" not in headers
    return RateLimited(wait, is_global=is_global or is_foreign)


def seconds(header: str) -> float:
    """Read Retry-After; a date, or nothing, means the usual wait."""
    try:
        return max(0.0, float(header))
    except ValueError:
        return WAIT_UNKNOWN
