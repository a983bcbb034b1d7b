"""What Coze is asked: every field, every way to put parts together, every limit."""

import json

import pytest

from bridge.coze.request import (
    DEFAULT_PROMPT,
    TURN,
    ChatRequest,
    EnterMessage,
    ShortcutCommand,
    body_of,
    query_of,
    question_of,
)
from bridge.coze.settings import CozeSettings, request_for
from bridge.errors import BackendRejected, ConfigError
from bridge.model import (
    ConversationId,
    CozeUserId,
    Linked,
    Question,
    Session,
    Text,
    TurnId,
    Uploaded,
)

T1 = TurnId("t1")
META = {TURN: "t1"}
IMAGE = Linked("image", "https://e.com/a.png")
PDF = Uploaded("file", "73")
IMAGE_PART = {"type": "image", "file_url": "https://e.com/a.png"}
PDF_PART = {"type": "file", "file_id": "73"}


def body(request):
    return json.loads(body_of(request))


def asked(content, content_type="text"):
    return EnterMessage(content, content_type, "user", "question", META)


def request(**more):
    plain = {"bot_id": "1", "user_id": "u", "stream": True, "additional_messages": (asked("hi"),)}
    return ChatRequest(**{**plain, **more})


def test_least():
    """A request holds what must be said, `stream` among it, and nothing empty."""
    assert {
        "bot_id": "1",
        "user_id": "u",
        "stream": False,
        "additional_messages": [
            {
                "role": "user",
                "type": "question",
                "content": "hi",
                "content_type": "text",
                "meta_data": META,
            }
        ],
    } == body(request(stream=False))
    assert {} == query_of(request())


def test_everything():
    """Every field of the API can be sent; the conversation goes into the query alone."""
    everything = {
        "custom_variables": {"bot_name": "Coze"},
        "auto_save_history": False,
        "meta_data": {"k": "v"},
        "extra_params": {"latitude": "39.9", "longitude": "116.4"},
        "parameters": {
            "user": [{"user_id": "123456", "user_name": "user"}],
            "n": None,
            "deep": [1],
        },
        "publish_status": "unpublished_draft",
        "bot_version": "7",
        "connector_id": "1024",
        "enable_card": False,
    }
    made = request(conversation_id=ConversationId("9"), **everything)

    assert everything == {key: body(made)[key] for key in everything}
    assert {"conversation_id": "9"} == query_of(made)
    assert "conversation_id" not in body(made)


def test_shortcut():
    """A shortcut command needs no message."""
    news = {"news_query": '[{"type":"text","text":"娱乐新闻"}]'}
    made = request(additional_messages=(), shortcut_command=ShortcutCommand("745", news))

    assert {"command_id": "745", "parameters": news} == body(made)["shortcut_command"]
    assert "additional_messages" not in body(made)
    assert {"command_id": "745"} == body(request(shortcut_command=ShortcutCommand("745")))[
        "shortcut_command"
    ]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ([Text("a")], [("text", "a")]),
        ([Text("a"), Text(" \n"), Text("b")], [("text", "a\n\nb")]),
        ([IMAGE, Text("a")], [("object_string", [IMAGE_PART, {"type": "text", "text": "a"}])]),
        (
            [Text("a"), IMAGE, Text("b"), PDF],
            [("object_string", [IMAGE_PART, PDF_PART, {"type": "text", "text": "a\n\nb"}])],
        ),
        ([IMAGE], [("object_string", [IMAGE_PART]), ("text", DEFAULT_PROMPT)]),
        ([PDF, Text("")], [("object_string", [PDF_PART]), ("text", DEFAULT_PROMPT)]),
        ([Uploaded("audio", "5")], [("object_string", [{"type": "audio", "file_id": "5"}]),
                                    ("text", DEFAULT_PROMPT)]),
        ([], []),
        ([Text("  ")], []),
    ],
)  # fmt: skip
def test_question(contents, expected):
    """Words and files become the messages that Coze's rules allow, words last."""
    made = question_of(contents, T1)

    assert expected == [
        (
            message.content_type,
            json.loads(message.content)
            if message.content_type == "object_string"
            else message.content,
        )
        for message in made
    ]
    assert all(("user", "question", META) == (m.role, m.type, m.meta_data) for m in made)


def test_words_that_utf8_cannot_carry():
    """Half a surrogate pair in a person's words does not stop the question."""
    assert (
        "a?"
        == body(request(additional_messages=question_of([Text("a\ud83d")], T1)))[
            "additional_messages"
        ][0]["content"]
    )


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"meta_data": {str(n): "v" for n in range(17)}}, 4003),
        ({"meta_data": {"k" * 65: "v"}}, 4003),
        ({"meta_data": {"": "v"}}, 4003),
        ({"meta_data": {"k": "v" * 513}}, 4003),
        ({"meta_data": {"k": ""}}, 4003),
        ({"additional_messages": (asked("hi"),) * 101}, 4004),
        ({"additional_messages": ()}, 4005),
    ],
)
def test_limits(more, code):
    """What Coze would refuse is refused before it is sent, with Coze's own code."""
    with pytest.raises(BackendRejected) as caught:
        request(**more)

    assert code == caught.value.code


def test_limits_reached():
    """The limits themselves are allowed."""
    request(
        meta_data={**{str(n): "v" for n in range(15)}, "k" * 64: "v" * 512},
        additional_messages=(asked("hi"),) * 100,
    )


def test_meta_data_of_a_message():
    """A message's own meta_data has the same limits."""
    with pytest.raises(BackendRejected):
        EnterMessage("hi", "text", "user", "question", {"k": "v" * 513})


def test_from_settings():
    """A question is asked with all that is configured, and the turn's id in both places."""
    settings = CozeSettings(
        bot_id="1",
        credentials="pat",
        custom_variables={"a": "b"},
        parameters={"deep": {"x": [1]}},
        meta_data={"tier": "gold"},
        connector_id="999",
    )
    question = Question(T1, Session(CozeUserId("u"), ConversationId("9")), (Text("hi"),))
    made = request_for(settings, question)

    assert {"tier": "gold", TURN: "t1"} == body(made)["meta_data"]
    assert META == body(made)["additional_messages"][0]["meta_data"]
    assert True is body(made)["auto_save_history"]
    assert {"deep": {"x": [1]}} == body(made)["parameters"]
    assert {"conversation_id": "9"} == query_of(made)
    assert False is body(request_for(settings, question, stream=False))["stream"]


def test_nothing_to_ask():
    """A question without a word or file is refused."""
    with pytest.raises(BackendRejected, match="nothing to ask"):
        request_for(
            CozeSettings(bot_id="1", credentials="pat"),
            Question(T1, Session(CozeUserId("u")), (Text(" "),)),
        )


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"meta_data": {str(n): "v" for n in range(16)}}, "coze.meta_data"),
        ({"meta_data": {"k": "v" * 513}}, "coze.meta_data"),
        ({"bot_version": "1", "publish_status": "unpublished_draft"}, "coze.bot_version"),
    ],
)
def test_bad_settings(more, key):
    """What Coze would refuse with every question is an error of the configuration."""
    with pytest.raises(ConfigError) as caught:
        CozeSettings(bot_id="1", credentials="pat", **more)

    assert key == caught.value.key


def test_secrets_are_not_shown():
    """Settings can be printed without the token."""
    assert "pat_secret" not in repr(CozeSettings(bot_id="1", credentials="pat_secret"))
