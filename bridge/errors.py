"""Everything that can go wrong, sorted by who can act on it.

BridgeError
├─ ConfigError          the operator, at start
├─ BackendError         Coze: BackendUnavailable · BackendRejected · StreamInterrupted
├─ PlatformError        a platform: RateLimited · MessageGone · NotPermitted · Refused
│                       · PlatformUnavailable
├─ MediaError           a file: LinkForged · LinkExpired · MediaUnavailable · MediaTooLarge
└─ StoreError           Redis: LeaseLost

Foreign exceptions are translated at the door that owns the library, `raise … from error`.
No message of these carries a token or a person's words.
"""


class BridgeError(Exception):
    """Anything this project raises."""


class ConfigError(BridgeError):
    """The configuration cannot be used; `key` is the setting, `problem` what to change."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


class BackendError(BridgeError):
    """Coze did not do what it was asked."""


class BackendUnavailable(BackendError):
    """Coze could not be reached or answered nonsense, before it had begun: asking again is safe."""

    def __init__(self, reason: str, *, log_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.log_id = log_id


class BackendRejected(BackendError):
    """Coze said no: `code` is its own or the HTTP status, `log_id` what its support asks for.

    https://www.coze.com/docs/developer_guides/coze_error_codes
    """

    def __init__(self, code: int, reason: str, *, log_id: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.log_id = log_id


class StreamInterrupted(BackendError):
    """The stream ended early; the chat goes on at Coze: recover, never ask again."""


class PlatformError(BridgeError):
    """A chat platform did not do what it was asked."""


class RateLimited(PlatformError):
    """The platform wants silence for `retry_after` seconds, in this chat or everywhere."""

    def __init__(self, retry_after: float, *, is_global: bool = False) -> None:
        super().__init__(f"retry after {retry_after:g} s")
        self.retry_after = retry_after
        self.is_global = is_global


class MessageGone(PlatformError):
    """The message to edit or delete is no longer there."""


class NotPermitted(PlatformError):
    """The bot may not write here: blocked, removed, or without the right to."""


class Refused(PlatformError):
    """The platform refuses this very content; sending the same again is useless."""


class PlatformUnavailable(PlatformError):
    """The platform could not be reached; `is_ambiguous` when the call may have been carried out."""

    def __init__(self, reason: str, *, is_ambiguous: bool = False) -> None:
        super().__init__(reason)
        self.is_ambiguous = is_ambiguous


class MediaError(BridgeError):
    """A file could not be passed on."""


class LinkForged(MediaError):
    """A media link whose signature is not ours."""


class LinkExpired(MediaError):
    """A media link past its time."""


class MediaUnavailable(MediaError):
    """The platform no longer has the file, or it could not be fetched."""


class MediaTooLarge(MediaError):
    """A file larger than the configured cap or the platform's own."""


class StoreError(BridgeError):
    """Redis could not do what it was asked."""


class LeaseLost(StoreError):
    """Another worker holds this conversation now: stop, and write nothing more."""
