"""What the service says when it refuses, in its own words.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from collections.abc import Mapping, Sequence

from bridge.errors import BridgeError

Problem = tuple[tuple[str, ...], Mapping[str, str]]
"""The steps of a field's path, and what is wrong there."""


class Refusal(BridgeError):
    """An HTTP answer that is not the one asked for."""

    def __init__(
        self,
        status: int,
        body: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status}: {body.get('message')}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


class HangUp(BridgeError):
    """The end of a gateway connection.

    https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


MESSAGES = {
    10002: (404, "Unknown Application"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10014: (400, "Unknown Emoji"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40005: (413, "Request entity too large"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50003: (403, "Cannot execute action on a DM channel"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50024: (400, "Cannot execute action on this channel type"),
    50027: (401, "Invalid Webhook Token"),
    50109: (400, "The request body contains invalid JSON."),
    160002: (403, "Cannot reply without permission to read message history"),
    160004: (400, "A thread has already been created for this message"),
}


def refusal(code: int) -> Refusal:
    """The refusal with this JSON error code."""
    status, message = MESSAGES[code]
    return Refusal(status, {"message": message, "code": code})


def plain(status: int, phrase: str) -> Refusal:
    """A refusal that has no code of its own."""
    return Refusal(status, {"message": f"{status}: {phrase}", "code": 0})


class Problems:
    """What is wrong with a form, by the path of the field.

    https://discord.com/developers/docs/reference#error-messages
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, path: str, code: str, message: str) -> None:
        """Note one problem; the steps of a path are separated by dots."""
        steps = tuple(path.split(".")) if path else ()
        self._found.append((steps, {"code": code, "message": message}))

    def too_long(self, path: str, limit: int) -> None:
        """Note that a text or a list is longer than allowed."""
        self.add(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")

    def not_snowflake(self, path: str, value: object) -> None:
        """Note that something is not an id."""
        self.add(path, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')

    def required(self, path: str) -> None:
        """Note that a field is missing."""
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required")

    def wrong_type(self, path: str, kind: str) -> None:
        """Note that a value is not of the kind that is called for."""
        self.add(path, f"{kind.upper()}_TYPE_CONVERT", f"Could not interpret value as {kind}.")

    def settle(self) -> None:
        """Raise Refusal 50035 if anything was noted."""
        if self._found:
            raise self.refusal()

    def refusal(self) -> Refusal:
        """Put what was noted into an answer."""
        body = {"message": "Invalid Form Body", "code": 50035, "errors": tree(self._found)}
        return Refusal(400, body)


def invalid(path: str, code: str, message: str) -> Refusal:
    """The refusal of a form in which one thing is wrong."""
    problems = Problems()
    problems.add(path, code, message)
    return problems.refusal()


def tree(found: Sequence[Problem]) -> dict[str, object]:
    """Nest problems by the steps of their paths, as the service does."""
    here = [problem for steps, problem in found if not steps]
    nested: dict[str, object] = {"_errors": here} if here else {}
    for first in dict.fromkeys(steps[0] for steps, _ in found if steps):
        below = [(steps[1:], problem) for steps, problem in found if steps[:1] == (first,)]
        nested[first] = tree(below)
    return nested
