"""From events and JSON to what happened: every shape that Coze has been seen to send."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.coze.answers import FALLBACK
from bridge.coze.decode import (
    Envelope,
    Failure,
    chat_of,
    ending_of,
    envelope_of,
    message_of,
    messages_of,
    parse,
)
from bridge.coze.events import ChatReader, listed
from bridge.coze.sse import Decoder, Event
from bridge.model import (
    ActionRequired,
    AnswerCompleted,
    AnswersFinished,
    ChatCancelled,
    ChatCompleted,
    ChatFailed,
    ChatRef,
    ChatStarted,
    Delta,
    FollowUp,
    Reasoning,
    ToolCalled,
)

RECORDINGS = Path(__file__).parent.parent / "recordings"
REF = ChatRef("conv", "chat")
CHAT = {"id": "chat", "conversation_id": "conv", "bot_id": "b", "status": "in_progress"}


def event(name, value=""):
    return Event(name, value if isinstance(value, str) else json.dumps(value))


def told(*events, asked=None):
    reader = ChatReader(asked)
    return [happened for one in events for happened in reader.take(one)]


def after_start(*events):
    start, *rest = told(event("conversation.chat.created", CHAT), *events)
    assert ChatStarted(REF) == start
    return rest


def message(kind, content, id_="m", **more):
    return {
        "id": id_,
        "conversation_id": "conv",
        "chat_id": "chat",
        "role": "assistant",
        "type": kind,
        "content": content,
        "content_type": "text",
        **more,
    }


def delta(kind, content, **more):
    return event("conversation.message.delta", message(kind, content, **more))


def completed(kind, content, **more):
    return event("conversation.message.completed", message(kind, content, **more))


def verbose(msg_type="generate_answer_finish", data=""):
    content = {"msg_type": msg_type, "data": data, "from_module": None, "from_unit": None}
    return completed("verbose", json.dumps(content), id_=f"v{data}")


# --- whole streams ---------------------------------------------------------------------------


def replayed(name):
    decoder, reader = Decoder(), ChatReader()
    events = [*decoder.feed((RECORDINGS / name).read_bytes()), *decoder.end()]
    return [happened for one in events for happened in reader.take(one)]


def test_recorded_text():
    """The first seed becomes a start, pieces, the whole answer and the end."""
    id_ = "7382159494123470858"
    events = replayed("coze-text.sse")
    pieces = [one for one in events if isinstance(one, Delta)]

    assert [Delta(id_, text) for text in ("2", "0")] == pieces[:2]
    assert "2024 年 10 月 1 日是星期三。" == "".join(piece.text for piece in pieces)
    assert [
        ChatStarted(ChatRef("7381473525342978089", "7382159487131697202")),
        AnswerCompleted(id_, "2024 年 10 月 1 日是星期三。"),
        AnswersFinished(),
        ChatCompleted(614, 19),
    ] == [one for one in events if one not in pieces]


def test_recorded_image():
    """The second seed tells which tool was used, and nothing of what went into and out of it."""
    id_ = "7382158479043379234"
    events = replayed("coze-image.sse")
    pieces = [one for one in events if isinstance(one, Delta)]

    assert [Delta(id_, text) for text in ("这", "是")] == pieces[:2]
    assert {id_} == {piece.message for piece in pieces}
    assert [
        ChatStarted(ChatRef("7381473525342978089", "7382158397837344768")),
        ToolCalled("tupianlijie-imgUnderstand"),
        AnswerCompleted(id_, "这是一幅非常漂亮的森林图片,里面有小溪、石头和青苔覆盖的树木。"),
        AnswersFinished(),
        ChatCompleted(2197, 111),
    ] == [one for one in events if one not in pieces]


def test_coze_studio():
    """A self-hosted stream: reasoning under the answer's id, an answer twice, its own done."""
    assert [
        Reasoning("m", "hm"),
        Delta("m", "a"),
        AnswerCompleted("m", "a"),
        AnswersFinished(),
        ChatCompleted(),
    ] == after_start(
        event("conversation.ack", {"id": "x"}),
        delta("answer", "", reasoning_content="hm"),
        delta("answer", "a"),
        completed("answer", "a"),
        completed("answer", "a"),
        verbose("interrupt", "{}"),
        verbose(),
        event("conversation.chat.completed", CHAT | {"status": "completed"}),
        event("conversation.stream.done"),
    )


# --- the start -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [
        event("conversation.chat.created", CHAT),
        event("conversation.chat.in_progress", CHAT),
        event("conversation.chat.created", {"id": 1, "conversation_id": 2}),
        delta("knowledge", "x"),
        event("conversation.chat.completed", CHAT),
    ],
)
def test_start(first):
    """The ids are taken from whatever event comes first, once."""
    events = told(first, first, event("conversation.chat.created", CHAT | {"id": "other"}))
    starts = [one for one in events if isinstance(one, ChatStarted)]

    assert 1 == len(starts)
    assert starts[0] == events[0]
    assert {"chat", "1"} >= {starts[0].ref.chat}


def test_start_without_conversation():
    """An event that does not name the conversation means the one that was asked in."""
    nameless = event("conversation.chat.created", {"id": "chat"})

    assert [ChatStarted(REF)] == told(nameless, asked="conv")
    assert [] == told(nameless)


# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    [
        *("function_call", "tool_output", "tool_response", "knowledge", "verbose", "question"),
        *("follow_up", "", "whatever"),
    ],
)
def test_hidden(kind):
    """What is not an answer never becomes one, in pieces or whole."""
    events = after_start(delta(kind, "secret"), completed(kind, '{"thought":"secret"}'))

    assert not [one for one in events if isinstance(one, (Delta, AnswerCompleted, Reasoning))]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (delta("answer", "a"), [Delta("m", "a")]),
        (delta("answer", ""), []),
        (delta("answer", None), []),
        (delta("answer", "", reasoning_content="hm"), [Reasoning("m", "hm")]),
        (delta("answer", "a", reasoning_content=None), [Delta("m", "a")]),
        (delta("answer", "a", content_type=None), [Delta("m", "a")]),
        (delta("answer", "UklGR", content_type="audio"), []),
        (delta("answer", "{", content_type="card"), []),
        (delta("answer", "a\u2028\u0085b"), [Delta("m", "a\u2028\u0085b")]),
        (delta("answer", "\ud83d"), [Delta("m", "?")]),
        (completed("answer", "a"), [AnswerCompleted("m", "a")]),
        (completed("answer", "a", created_at="1716809829"), [AnswerCompleted("m", "a")]),
        (completed("answer", "a", time_cost={"x": 1}), [AnswerCompleted("m", "a")]),
        (completed("answer", ""), []),
        (completed("answer", None), []),
        (completed("answer", "UklGR", content_type="audio"), []),
        (event("conversation.audio.delta", message("answer", "UklGR", content_type="audio")), []),
        (completed("function_call", '{"name":"rain","thought":"x"}'), [ToolCalled("rain")]),
        (completed("function_call", "not JSON"), []),
        (completed("function_call", "[]"), []),
        (completed("follow_up", "And tomorrow?"), [FollowUp("And tomorrow?")]),
        (completed("follow_up", " "), []),
        (verbose(), [AnswersFinished()]),
        (verbose(data='{"finish_reason":0,"FinData":""}'), [AnswersFinished()]),
        (verbose(data='{"finish_reason":1,"FinData":""}'), []),
        (verbose("knowledge_recall", "{}"), []),
        (verbose("empty result"), []),
        (completed("verbose", "not JSON"), []),
        (event("PING", '{"content":"{}"}'), []),
        (event("conversation.message.delta", "not JSON"), []),
        (event("conversation.message.delta", "[1]"), []),
        (event("conversation.message.delta"), []),
        (event("conversation.chat.in_progress", CHAT), []),
        (event("conversation.chat.completed"), []),
        (event("something.new", {"a": 1}), []),
        (event("", {"code": 0, "msg": ""}), []),
    ],
)
def test_messages(one, expected):
    """Each event about a message tells what a person may see of it, and no more."""
    assert expected == after_start(one)


def test_told_once():
    """Repetitions add nothing: not to an answer, not to its end, not to suggestions."""
    assert [
        Delta("m", "a"),
        AnswerCompleted("m", "a"),
        FollowUp("b"),
        AnswersFinished(),
        AnswerCompleted("n", "c"),
    ] == after_start(
        delta("answer", "a"),
        completed("answer", "a"),
        delta("answer", "late"),
        completed("answer", "again"),
        completed("follow_up", "b", id_="f"),
        completed("follow_up", "b", id_="f"),
        verbose(data='{"finish_reason":1}'),
        verbose(),
        verbose(data='{"finish_reason":0}'),
        completed("answer", "c", id_="n"),
    )


# --- how a chat ends --------------------------------------------------------------------------

WAITS = "conversation.chat.requires_action"
ONE_TOOL = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [
            {
                "id": "BUJJ",
                "type": "function",
                "function": {"name": "get_rain", "arguments": "{}"},
                "require_info": None,
            }
        ]
    },
}
A_REPLY = {
    "type": "submit_tool_outputs",
    "submit_tool_outputs": {
        "tool_calls": [{"id": "", "type": "reply_message", "function": None, "require_info": {}}]
    },
}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("conversation.chat.completed", CHAT, ChatCompleted()),
        ("conversation.chat.completed", CHAT | {"usage": None}, ChatCompleted()),
        ("conversation.chat.completed", CHAT | {"usage": {}}, ChatCompleted()),
        (
            "conversation.chat.completed",
            CHAT | {"usage": {"input_count": 2, "output_count": 1}, "last_error": {"code": None}},
            ChatCompleted(2, 1),
        ),
        (
            "conversation.chat.completed",
            CHAT | {"usage": {"input_tokens": "2", "output_tokens": "1"}, "status": "compleated"},
            ChatCompleted(2, 1),
        ),
        (
            "conversation.chat.failed",
            CHAT | {"status": "failed", "last_error": {"code": 5000, "msg": "interval"}},
            ChatFailed(5000, "interval"),
        ),
        ("conversation.chat.failed", {"code": 701231, "msg": "error"}, ChatFailed(701231, "error")),
        ("conversation.chat.failed", {"code": "720702204", "msg": "e"}, ChatFailed(720702204, "e")),
        (
            "conversation.chat.failed",
            CHAT | {"last_error": {"code": "4028", "msg": "credits"}},
            ChatFailed(4028, "credits"),
        ),
        ("error", {"code": 4016, "msg": "occupied"}, ChatFailed(4016, "occupied")),
        ("error", {"code": 5000, "message": "other key"}, ChatFailed(5000, "other key")),
        ("conversation.error", {"code": 103200002, "msg": "I"}, ChatFailed(103200002, "I")),
        ("", {"code": 4101, "msg": "no"}, ChatFailed(4101, "no")),
        (WAITS, CHAT | {"required_action": ONE_TOOL}, ActionRequired(("get_rain",))),
        (WAITS, CHAT | {"required_action": A_REPLY}, ActionRequired()),
        (WAITS, CHAT | {"required_action": None}, ActionRequired()),
        ("conversation.chat.canceled", CHAT, ChatCancelled()),
        ("conversation.chat.cancelled", CHAT | {"last_error": {"code": None}}, ChatCancelled()),
    ],
)  # fmt: skip
def test_endings(name, data, expected):
    """A chat ends in one way, in all spellings, and nothing comes after."""
    assert [expected] == after_start(
        event(name, data),
        event("conversation.chat.completed", CHAT),
        completed("answer", "late"),
        event("done", '"[DONE]"'),
    )


@pytest.mark.parametrize(
    "failure",
    [
        event("conversation.chat.failed", CHAT | {"status": "failed", "last_error": None}),
        event("conversation.chat.failed", CHAT | {"last_error": {"code": None, "msg": "why"}}),
        event("conversation.chat.failed"),
        event("error", "{}"),
        event("error"),
    ],
)
def test_failure_without_a_code(failure):
    """A failure that does not tell its code ends the stream, not the chat: Coze can be asked."""
    reader = ChatReader("conv")
    reader.take(event("conversation.chat.created", CHAT))

    assert [] == reader.take(failure)
    assert (True, False) == (reader.is_done, reader.has_ended)


def test_failure_without_a_chat():
    """An error that names no chat is no start."""
    assert [ChatFailed(4016, "occupied")] == told(event("error", {"code": 4016, "msg": "occupied"}))


@pytest.mark.parametrize(
    "done",
    [
        event("done", '"[DONE]"'),
        event("done", "[DONE]"),
        event("done", {"debug_url": "https://example.com"}),
        event("done", "{}"),
        event("done"),
        event("conversation.stream.done"),
    ],
)
def test_done(done):
    """Every shape of done ends a stream; alone it completes a chat only after a whole answer."""
    reader = ChatReader("conv")

    assert [] == reader.take(done)
    assert reader.is_done
    assert [Delta("m", "a")] == after_start(delta("answer", "a"), done)
    assert [AnswerCompleted("m", "a"), ChatCompleted()] == after_start(
        completed("answer", "a"), done
    )


# --- content that is not text -----------------------------------------------------------------


def content(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


OPTIONS = {
    "type": "question",
    "content_type": "option",
    "content": {"question": "Where to?", "options": [{"name": "Paris"}, {"name": "Rome"}]},
}
QUESTION = {
    "card_type": 3,
    "template_url": "https://lf.example.com/x.json",
    "response_type": "card",
    "x_properties": {
        "workflow_card_info": json.dumps(
            {
                "card_type": "QUESTION",
                "question_card_data": {"Title": "Where?", "Options": [{"name": "Paris"}]},
            }
        )
    },
}
FORM = {
    "type": "input",
    "content_type": "form_schema",
    "content": json.dumps([{"type": "string", "name": "city", "required": True}]),
}


@pytest.mark.parametrize(
    ("content_type", "value", "expected"),
    [
        ("card", OPTIONS, "Where to?\n\n- Paris\n- Rome"),
        ("text", OPTIONS, "Where to?\n\n- Paris\n- Rome"),
        ("card", QUESTION, "Where?\n\n- Paris"),
        ("card", FORM, "- city"),
        ("card", {"question": "Q", "options": ["A", "B", "A"]}, "Q\n\n- A\n- B"),
        ("card", {"data": {"title": " T ", "all": [{"text": "a"}, {"text": "b"}]}}, "T\n\na\n\nb"),
        ("card", {"card_type": 3, "template_url": "https://e.com"}, FALLBACK),
        ("card", "not JSON", FALLBACK),
        ("card", "[" * 100_000, FALLBACK),
        ("card", json.loads("[" * 200 + '"deep"' + "]" * 200), FALLBACK),
        ("text", {"content_type": "option"}, '{"content_type": "option"}'),
        ("text", "{not a card}", "{not a card}"),
        ("new_type", "hello", "hello"),
        (
            "object_string",
            [
                {"type": "text", "text": "Look:"},
                {"type": "image", "file_url": "https://e.com/a.png"},
                {"type": "image", "file_id": "7"},
                {"type": "file", "file_url": "https://e.com/a.pdf"},
                {"type": "audio", "file_url": "https://e.com/a.mp3"},
                "?",
            ],
            "Look:\n\n![](https://e.com/a.png)\n\n<https://e.com/a.pdf>",
        ),
        ("object_string", "plain after all", "plain after all"),
    ],
)  # fmt: skip
def test_readable(content_type, value, expected):
    """Cards and mixed content become words, choices and pictures; never JSON."""
    assert [AnswerCompleted("m", expected)] == after_start(
        completed("answer", content(value), content_type=content_type)
    )


# --- answers of the other endpoints -----------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"code": 0, "msg": "", "data": {"id": "1"}, "detail": {"logid": "L"}},
            Envelope(None, {"id": "1"}, "L"),
        ),
        ({"code": None, "data": []}, Envelope(None, [], None)),
        ({"code": "0", "data": None}, Envelope(None, None, None)),
        ({"data": None, "Messages": [1], "BaseResp": {}}, Envelope(None, [1], None)),
        ({"ChatV3ChatDetail": {"id": "1"}}, Envelope(None, {"id": "1"}, None)),
        ({"ConversationData": {"id": "1"}}, Envelope(None, {"id": "1"}, None)),
        (
            {"code": 4101, "msg": "no", "detail": {"logid": "L"}},
            Envelope(Failure(4101, "no"), None, "L"),
        ),
        ({"code": "700012006", "message": "no"}, Envelope(Failure(700012006, "no"), None, None)),
        ({}, Envelope(None, None, None)),
        (None, Envelope(None, None, None)),
        ([1], Envelope(None, None, None)),
    ],
)
def test_envelopes(value, expected):
    """Every frame of an answer is understood, whatever its keys and the type of its code."""
    assert expected == envelope_of(value)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("created", None),
        ("in_progress", None),
        ("", None),
        (None, None),
        ("something new", None),
        ("completed", ChatCompleted()),
        ("compleated", ChatCompleted()),
        ("failed", ChatFailed(0, "failed", "L")),
        ("expired", ChatFailed(0, "expired", "L")),
        ("deleted", ChatFailed(0, "deleted", "L")),
        ("requires_action", ActionRequired()),
        ("required_action", ActionRequired()),
        ("canceled", ChatCancelled()),
        ("cancelled", ChatCancelled()),
        ("conversation.chat.cancelled", ChatCancelled()),
    ],
)
def test_statuses(status, expected):
    """Every spelling of a status is understood; an unknown one is not taken for an end."""
    assert expected == ending_of(chat_of(CHAT | {"status": status}), log_id="L")


def test_empty_required_action():
    """A chat that requires nothing may still carry the empty shape of a requirement."""
    empty = {"type": "", "submit_tool_outputs": {"tool_calls": []}}

    assert ChatCompleted() == ending_of(
        chat_of(CHAT | {"status": "completed", "required_action": empty})
    )


def test_listed():
    """Messages of a chat that is over: answers by time, then suggestions, nothing internal."""
    messages = messages_of(
        [
            message("verbose", '{"msg_type":"generate_answer_finish"}', id_="9", created_at=5),
            message("follow_up", "And?", id_="8", created_at=6),
            message("answer", "second", id_="1", created_at="4"),
            message("function_call", '{"name":"x"}', id_="2", created_at=2),
            message("answer", "first", id_="7", created_at=3),
            message("answer", "first", id_="7", created_at=3),
            message("tool_response", "raw", id_="3", created_at=2),
        ]
    )

    assert [
        AnswerCompleted("7", "first"),
        AnswerCompleted("1", "second"),
        FollowUp("And?"),
    ] == listed(messages)


def test_listed_without_times():
    """Where a time is missing, Coze's own order stands."""
    messages = messages_of(
        [message("answer", "b", id_="2", created_at=9), message("answer", "a", id_="1")]
    )

    assert [AnswerCompleted("2", "b"), AnswerCompleted("1", "a")] == listed(messages)


def test_parse():
    """Anything that is not JSON is None, whatever it is."""
    assert {"a": "\t"} == parse(b'\xef\xbb\xbf{"a":"\t"}')
    assert {"a": "\ufffd"} == parse(b'{"a":"\xff"}')
    assert [None] * 4 == [parse(text) for text in ("", "<html>", "[" * 100_000, "1" * 5000)]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(*CHAT, "data", "code", "msg", "content", "type", "usage", "last_error"),
                    *("detail", "required_action", "submit_tool_outputs", "tool_calls"),
                    *("function", "meta_data"),
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)
NAMES = st.sampled_from(
    [
        *(f"conversation.chat.{end}" for end in ("created", "completed", "failed")),
        *(WAITS, "conversation.message.delta", "conversation.message.completed"),
        *("error", "done", ""),
    ]
)


@given(st.lists(st.tuples(NAMES, JSON), max_size=5))
def test_nothing_surprises(events):
    """No JSON whatever breaks the reading of a stream or of an answer."""
    told(*(Event(name, json.dumps(value)) for name, value in events))
    for _, value in events:
        envelope_of(value)
        ending_of(chat_of(value))
        listed(messages_of(value))
        message_of(value)
