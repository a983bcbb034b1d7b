"""Chats, messages and conversations as the JSON objects of the API.

https://www.coze.com/docs/developer_guides/chat_v3
"""

import json

from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.state import Chat, Conversation, Message, Upload
from bridge.coze.emulator.steps import ToolCall

Json = dict[str, object]


def dumps(value: object, flavour: Flavour) -> str:
    """JSON in one line, its characters raw but for those the server's encoder escapes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if flavour.escapes_html:
        for character in "<>&\u2028\u2029":
            text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def chat_event(chat: Chat, flavour: Flavour) -> Json:
    """A chat as the stream shows it."""
    event: Json = {
        "id": chat.id,
        "conversation_id": chat.conversation_id,
        "bot_id": chat.asked.bot_id,
        # The hosted service tells an end before there is one.
        "completed_at": chat.ended_at or chat.created_at,
        "last_error": {"code": chat.code, "msg": chat.reason},
        "status": spelled(chat.status, flavour),
    }
    if chat.status == "failed":
        event["failed_at"] = chat.ended_at
    if chat.calls:
        event["required_action"] = required_action(chat.calls)
    if flavour.reports_usage:
        event["usage"] = usage(chat)
    else:
        del event["last_error"]
    return event


def chat_object(chat: Chat, flavour: Flavour) -> Json:
    """A chat as /v3/chat/retrieve tells it."""
    described: Json = {
        "id": chat.id,
        "conversation_id": chat.conversation_id,
        "bot_id": chat.asked.bot_id,
        "section_id": chat.section_id,
        "created_at": chat.created_at,
        "last_error": {"code": chat.code, "msg": chat.reason},
        "status": spelled(chat.status, flavour),
        "usage": usage(chat),
    }
    if chat.ended_at is not None:
        described["failed_at" if chat.status == "failed" else "completed_at"] = chat.ended_at
    if chat.calls:
        described["required_action"] = required_action(chat.calls)
    if flavour.heeds_all_fields:
        described["meta_data"] = dict(chat.asked.meta_data)
    return described


def begun_object(chat: Chat, flavour: Flavour) -> Json:
    """A chat as a request without a stream is answered at once."""
    return {
        "id": chat.id,
        "conversation_id": chat.conversation_id,
        "bot_id": chat.asked.bot_id,
        "created_at": chat.created_at,
        "last_error": {"code": 0, "msg": ""},
        "status": flavour.first_status,
    }


def message_event(message: Message) -> Json:
    """A message as the stream shows it."""
    event: Json = {
        "id": message.id,
        "conversation_id": message.conversation_id,
        "bot_id": message.bot_id,
        "role": message.role,
        "type": message.type,
        "content": message.content,
        "content_type": message.content_type,
        "chat_id": message.chat_id,
    }
    if message.reasoning:
        event["reasoning_content"] = message.reasoning
    return event


def message_object(message: Message, flavour: Flavour) -> Json:
    """A message as the lists show it."""
    return message_event(message) | {
        "section_id": message.section_id,
        "created_at": message.created_at,
        "updated_at": message.created_at,
        "meta_data": dict(message.meta_data) if flavour.heeds_all_fields else {},
    }


def conversation_object(conversation: Conversation, creator: str) -> Json:
    """A conversation as every endpoint tells it."""
    return {
        "id": conversation.id,
        "name": conversation.name,
        "meta_data": dict(conversation.meta_data),
        "creator_id": creator,
        "connector_id": conversation.connector_id,
        "created_at": conversation.created_at,
        "updated_at": conversation.created_at,
        "last_section_id": conversation.section_id,
    }


def upload_object(upload: Upload) -> Json:
    """An uploaded file."""
    return {
        "id": upload.id,
        "bytes": len(upload.content),
        "created_at": upload.created_at,
        "file_name": upload.name,
    }


def required_action(calls: tuple[ToolCall, ...]) -> Json:
    """What a chat waits for; a call without a name is a question to the person."""
    return {
        "type": "submit_tool_outputs",
        "submit_tool_outputs": {"tool_calls": [tool_call(call) for call in calls]},
    }


def tool_call(call: ToolCall) -> Json:
    """One call of a required action."""
    if not call.name:
        return {"id": "", "type": "reply_message", "function": None, "require_info": None}
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function, "require_info": None}


def usage(chat: Chat) -> Json:
    """Token counts; the output comes before the input, as in the examples."""
    tokens_in, tokens_out = chat.usage
    total = tokens_in + tokens_out
    return {"token_count": total, "output_count": tokens_out, "input_count": tokens_in}


def spelled(status: str, flavour: Flavour) -> str:
    """A status in the server's own words."""
    return flavour.spelling.get(status, status)
