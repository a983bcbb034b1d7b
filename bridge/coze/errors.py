"""What Coze's error codes mean for whoever might ask again.

https://www.coze.com/docs/developer_guides/coze_error_codes; codes above 100 million are the
gateway's (700012006) or those of the open-source server, https://github.com/coze-dev/coze-studio.
"""

AUTH = frozenset({401, 4100, 4101, 700012006})
TRANSIENT = frozenset({408, 429, 500, 502, 503, 504, 4009, 4013, 4020, 5000})
BUSY = frozenset({4016})
GONE = frozenset({4002, 103000002})
ENDED = frozenset({4104, 103200005})

# These stand for many things; only their sentence tells whether a conversation is meant.
GONE_IF_SAID = frozenset({4101, 4200, 103000001})
GONE_WORDS = ("conversation", "user not match")


def is_auth(code: int) -> bool:
    """Whether the token was refused: a fresh one may help, once."""
    return code in AUTH


def is_transient(code: int) -> bool:
    """Whether the same request may succeed in a moment."""
    return code in TRANSIENT


def is_busy(code: int) -> bool:
    """Whether another chat still runs in the conversation."""
    return code in BUSY


def is_gone(code: int, reason: str = "") -> bool:
    """Whether the conversation no longer exists or is somebody else's: a new one helps."""
    if code in GONE:
        return True
    return code in GONE_IF_SAID and any(word in reason.lower() for word in GONE_WORDS)


def has_ended(code: int) -> bool:
    """Whether a chat cannot be cancelled because it has ended already."""
    return code in ENDED
