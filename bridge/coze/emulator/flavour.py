"""How the hosted service and the self-hosted one (coze-studio) differ, as data.

https://www.coze.com/docs/developer_guides/chat_v3 and https://github.com/coze-dev/coze-studio
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FlavourName = Literal["hosted", "studio"]


@dataclass(frozen=True, slots=True)
class Flavour:
    """One kind of Coze server; the defaults are the hosted one."""

    log_id_header: str = "X-Tt-Logid"
    tells_log_id: bool = True  # in JSON bodies too
    streams_by_default: bool = False
    first_status: str = "in_progress"  # what a request without a stream is answered with
    done: tuple[str, str] = ("done", '"[DONE]"')
    cancelled_event: str = "conversation.chat.canceled"
    spelling: Mapping[str, str] = field(default_factory=dict)  # of statuses
    keys: Mapping[str, str] = field(default_factory=dict)  # of envelopes, by path
    escapes_html: bool = False  # in JSON, like Go's encoding/json
    runs_once: bool = True  # one chat at a time in a conversation, else 4016
    heeds_all_fields: bool = True  # meta_data and auto_save_history too
    opens_unknown: bool = False  # an unknown conversation silently becomes a new one
    reports_usage: bool = True  # in the stream
    limits_polling: bool = True  # refuses those who retrieve much too often
    has_all_routes: bool = True
    takes_empty_id: bool = True  # as none; SDKs send `conversation_id=`
    refuses_by_code: bool = True  # and with HTTP 200, but for the gateway's 401
    codes: Mapping[int, int] = field(default_factory=dict)  # hosted code -> its own


HOSTED = Flavour()
STUDIO = Flavour(
    log_id_header="X-Log-ID",
    tells_log_id=False,
    streams_by_default=True,
    first_status="created",
    done=("conversation.stream.done", ""),
    cancelled_event="conversation.chat.cancelled",
    # The status after a cancel is the name of the event: a bug of the real server.
    spelling={"canceled": "conversation.chat.cancelled", "requires_action": "required_action"},
    keys={
        "/v3/chat/cancel": "ChatV3ChatDetail",
        "/v3/chat/message/list": "Messages",
        "/v1/conversation/retrieve": "ConversationData",
    },
    escapes_html=True,
    runs_once=False,
    heeds_all_fields=False,
    opens_unknown=True,
    reports_usage=False,
    limits_polling=False,
    has_all_routes=False,
    takes_empty_id=False,
    refuses_by_code=False,
    codes={
        4001: 103200003,
        4002: 103000002,
        4100: 700012006,
        4101: 700012006,
        4104: 103200005,
        4200: 103100002,
        5000: 103200002,
    },
)
FLAVOURS: Mapping[FlavourName, Flavour] = {"hosted": HOSTED, "studio": STUDIO}
