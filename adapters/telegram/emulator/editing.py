"""Methods that change or remove messages, and answer a pressed button."""

import dataclasses

from adapters.telegram.emulator import formatted, keyboard, wire
from adapters.telegram.emulator.parameters import Parameters
from adapters.telegram.emulator.post import Chat, Post
from adapters.telegram.emulator.refusal import bad
from adapters.telegram.emulator.sending import read_text
from adapters.telegram.emulator.world import World

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
MOST_DELETED = 100
CALLBACK_ANSWER = 200  # characters


def edit_message_text(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#editmessagetext."""
    if not given.text("text"):
        raise bad("message text is empty")
    raw = read_text(given, "text", "entities")
    markup = keyboard.inline(keyboard.read(given.nested("reply_markup")))
    chat, post = find_own(world, given)
    if post.media is not None:
        raise bad("there is no text in the message to edit")
    text = formatted.message_text(raw, world.known_people(), is_edit=True)
    return replace(world, chat, post, dataclasses.replace(post, content=text, markup=markup))


def edit_message_caption(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#editmessagecaption."""
    raw = read_text(given, "caption", "caption_entities")
    markup = keyboard.inline(keyboard.read(given.nested("reply_markup")))
    chat, post = find_own(world, given)
    if post.media is None:
        raise bad("there is no caption in the message to edit")
    caption = formatted.caption(raw, world.known_people())
    return replace(world, chat, post, dataclasses.replace(post, content=caption, markup=markup))


def edit_message_reply_markup(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#editmessagereplymarkup."""
    markup = keyboard.inline(keyboard.read(given.nested("reply_markup")))
    chat, post = find_own(world, given)
    return replace(world, chat, post, dataclasses.replace(post, markup=markup))


def delete_message(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#deletemessage."""
    chat = world.writable(given.text("chat_id"))
    post = chat.shown(given.integer("message_id"))
    if post is None:
        raise bad("message to delete not found")
    delete(world, chat, post)
    return True


def delete_messages(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#deletemessages; those already gone are skipped."""
    chat = world.writable(given.text("chat_id"))
    numbers = given.nested("message_ids")
    if not isinstance(numbers, list) or not numbers:
        raise bad("message identifiers are not specified")
    if len(numbers) > MOST_DELETED:
        raise bad("too many message identifiers specified")
    posts = [chat.shown(number) for number in numbers if isinstance(number, int)]
    for post in filter(None, posts):
        delete(world, chat, post)
    return True


def answer_callback_query(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#answercallbackquery."""
    if len(given.text("text")) > CALLBACK_ANSWER:
        raise bad("MESSAGE_TOO_LONG")
    query = given.text("callback_query_id")
    if query not in world.queries:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    world.queries.remove(query)
    return True


def find_own(world: World, given: Parameters) -> tuple[Chat, Post]:
    """The message to edit, which must be the bot's; raises Refusal."""
    if given.text("inline_message_id"):
        raise bad("MESSAGE_ID_INVALID")  # no message of this service was sent inline
    chat = world.writable(given.text("chat_id"))
    if not given.integer("message_id"):
        raise bad("message identifier is not specified")
    post = chat.shown(given.integer("message_id"))
    if post is None:
        raise bad("message to edit not found")
    if not post.is_bot:
        raise bad("message can't be edited")
    return chat, post


def replace(world: World, chat: Chat, post: Post, changed: Post) -> object:
    """Put the changed message in place; the flood limit counts even what changes nothing."""
    world.charge(chat)
    if (changed.content, changed.markup) == (post.content, post.markup):
        raise bad(NOT_MODIFIED)
    is_edit = changed.content != post.content
    put = dataclasses.replace(changed, edits=post.edits + is_edit, edited=world.date)
    return wire.message(chat, world.put(chat, put))


def delete(world: World, chat: Chat, post: Post) -> None:
    """Remove a message; in a group, a bot that is no administrator removes only its own."""
    if not post.is_bot and not chat.is_private:
        raise bad("message can't be deleted")
    world.put(chat, dataclasses.replace(post, is_deleted=True))
