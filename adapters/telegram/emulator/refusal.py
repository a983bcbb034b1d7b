"""A refusal, worded as the Bot API words it."""

from http import HTTPStatus

from bridge.errors import BridgeError


class Refusal(BridgeError):
    """What is answered instead of a result; https://core.telegram.org/bots/api#making-requests."""

    def __init__(
        self,
        code: int,
        description: str,
        *,
        retry_after: int | None = None,
        migrate_to: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to


def bad(problem: str) -> Refusal:
    """The request makes no sense to the service."""
    return Refusal(400, f"Bad Request: {problem}")


def forbidden(problem: str) -> Refusal:
    """The bot may not do this."""
    return Refusal(403, f"Forbidden: {problem}")


def conflict(problem: str) -> Refusal:
    """Someone else receives the updates."""
    return Refusal(409, f"Conflict: {problem}")


def too_many(retry_after: int) -> Refusal:
    """The bot writes too fast."""
    description = f"Too Many Requests: retry after {retry_after}"
    return Refusal(429, description, retry_after=retry_after)


def plain(code: int) -> Refusal:
    """A refusal that says no more than its HTTP status."""
    return Refusal(code, HTTPStatus(code).phrase)
