"""Identity, commands and words."""

import dataclasses

import pytest

from bridge.model import Address, BotName, ChatId, Message, MessageId, PersonId, Platform, Sender
from bridge.model import Text as Words_
from bridge.turns.commands import Command, command_of
from bridge.turns.identity import coze_user_of, key_of, turn_of
from bridge.turns.words import CHINESE, ENGLISH, on_code, words_for


def message(text="hi", *, chat="c", person="p", number="1", thread=None):
    return Message(
        id=MessageId(number),
        address=Address(BotName("b"), Platform("t"), ChatId(chat), thread),
        sender=Sender(PersonId(person), "Ann"),
        parts=(Words_(text),),
        is_private=True,
        is_addressed=True,
        order=1,
    )


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("/new", Command.NEW),
        ("/NEW now", Command.NEW),
        ("/stop", Command.STOP),
        ("/start payload", Command.START),
        ("/help", Command.HELP),
        ("/newer", None),
        ("new", None),
        ("", None),
        ("/", None),
        ("hello /stop", None),
    ],
)
def test_commands(text, command):
    """A command is the first word, after a slash; other slashed words go to the agent."""
    assert command == command_of(message(text))


def test_key_tells_people_chats_and_threads_apart():
    """Two people in one chat, one person in two chats or threads: each a conversation."""
    keys = {
        key_of(message()),
        key_of(message(person="q")),
        key_of(message(chat="d")),
        key_of(message(thread="5")),
    }

    assert 4 == len(keys)


def test_turn_is_the_same_when_the_message_is():
    """A message has one turn, whoever works on it, and another message another."""
    assert turn_of(message()) == turn_of(message())
    assert turn_of(message()) != turn_of(message(number="2"))


def test_coze_user_hides_the_person():
    """The user id differs by secret, platform and person, and by nothing else."""
    ids = {
        coze_user_of(secret, Platform(platform), PersonId(person))
        for secret in ("s1", "s2")
        for platform in ("telegram", "discord")
        for person in ("4711", "4712")
    }

    assert 8 == len(ids)


def test_both_languages_say_everything():
    """No sentence is empty or left untranslated."""
    for field in dataclasses.fields(ENGLISH):
        assert getattr(ENGLISH, field.name).strip()
        assert getattr(CHINESE, field.name).strip()
        assert getattr(ENGLISH, field.name) != getattr(CHINESE, field.name)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh-hans", CHINESE), ("zh", CHINESE), ("en", ENGLISH), ("de", ENGLISH), (None, ENGLISH)],
)
def test_language_of_a_person(locale, words):
    """Chinese for Chinese, English for all others."""
    assert words is words_for(locale)


@pytest.mark.parametrize(
    "code", [4000, 4002, 4008, 4010, 4011, 4015, 4016, 4028, 4100, 4101, 4200, 5000, 700012006, 99]
)
def test_every_code_is_a_sentence(code):
    """No code reaches a person as a number."""
    sentence = on_code(ENGLISH, code)

    assert sentence.endswith(".")
    assert str(code) not in sentence
