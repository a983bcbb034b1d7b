"""Names in Redis: unambiguous, and in one slot where a script needs them so."""

import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from bridge.model import (
    Address,
    BotName,
    ChatId,
    Key,
    Limit,
    Message,
    MessageId,
    PersonId,
    Platform,
    Sender,
)
from bridge.store import keys
from bridge.store.mailbox import member, message_of, prefix

names = st.text(alphabet="ab:{}%|é", min_size=1, max_size=4)


def said(order: int = 1, id_: str = "1", bot: str = "helper", chat: str = "7") -> Message:
    where = Address(BotName(bot), Platform("telegram"), ChatId(chat))
    return Message(
        id=MessageId(id_),
        address=where,
        sender=Sender(PersonId("1"), "Ann"),
        parts=(),
        is_private=True,
        is_addressed=True,
        order=order,
    )


def slot_tag(name: str) -> str:
    """What a Cluster hashes: https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/."""
    found = re.search(r"\{([^}]+)\}", name)
    return found[1] if found else name


bots = st.text(alphabet="ab{}%|é", min_size=1, max_size=4)


@given(bots, names, names)
def test_all_conversations_of_a_bot_are_in_one_slot(bot, one, other):
    """All keys that a script touches have the hash tag of the bot."""
    one, other = Key(f"{bot}:{one}"), Key(f"{bot}:{other}")
    found = {
        slot_tag(name)
        for name in (
            keys.mailbox(one),
            keys.lease(one),
            keys.mailbox(other),
            keys.lease(other),
            keys.seen(one, said()),
            keys.ready(BotName(bot)),
            keys.dead(BotName(bot)),
        )
    }

    assert {quote(bot, safe="")} == found


@given(names, names)
def test_one_bot_is_in_one_slot(bot, scope):
    """All limits of a bot have the same hash tag, whatever its name and theirs are made of."""
    where = Platform("telegram"), BotName(bot)
    one, other = Limit(scope, 1.0, 3), Limit("", 0.05, 30)
    found = {
        slot_tag(name)
        for limit in (one, other)
        for name in (keys.pace(*where, limit), keys.hold(*where, limit))
    }

    assert 1 == len(found)


@given(bots, names, bots, names)
def test_different_messages_have_different_marks(bot, chat, other_bot, other_chat):
    """No two messages are taken for the same one because of a character in a name."""
    one = keys.seen(Key(f"{bot}:k"), said(bot=bot, chat=chat))
    other = keys.seen(Key(f"{other_bot}:k"), said(bot=other_bot, chat=other_chat))

    assert ((bot, chat) == (other_bot, other_chat)) == (one == other)


def test_limits_of_one_scope_are_counted_apart_and_held_together():
    """A chat has a limit a second and one a minute, and one answer 429 is about both."""
    where = Platform("telegram"), BotName("helper")
    second, minute = Limit("chat:7", 1.0, 1), Limit("chat:7", 3.0, 20)

    assert keys.pace(*where, second) != keys.pace(*where, minute)
    assert keys.hold(*where, second) == keys.hold(*where, minute)


@given(st.lists(st.tuples(st.integers(0, 10**34), st.integers(0, 10**19)), max_size=20))
def test_stored_messages_sort_as_text_like_their_order_and_id(places):
    """The text of a stored message sorts by order, then by a numeric id."""
    messages = [said(order, str(number)) for order, number in places]
    expected = sorted(messages, key=lambda message: (message.order, int(message.id)))

    assert [prefix(message) for message in expected] == sorted(map(prefix, messages))


@given(st.text(min_size=1), st.integers(0, 10**34))
def test_a_stored_message_is_read_back(id_, order):
    """Whatever a platform's id is made of, what was stored is what is read."""
    message = said(order, id_)

    assert message == message_of(member(message))
