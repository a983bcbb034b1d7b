"""Values as the JSON objects of the Bot API; https://core.telegram.org/bots/api#available-types."""

from collections.abc import Iterable
from typing import assert_never

import msgspec

from adapters.telegram.emulator.post import Chat, Document, Entity, Json, Person, Photo, Post


def user(person: Person) -> Json:
    """A User."""
    shown: Json = {"id": person.id, "is_bot": person.is_bot, "first_name": person.first_name}
    if person.username:
        shown["username"] = person.username
    if person.language_code:
        shown["language_code"] = person.language_code
    return shown


def chat(it: Chat) -> Json:
    """A Chat."""
    if it.is_private:
        person = it.members[0]
        shown: Json = {"id": it.id, "first_name": person.first_name, "type": "private"}
        return shown | ({"username": person.username} if person.username else {})
    forum: Json = {"is_forum": True} if it.topics else {}
    return {"id": it.id, "title": it.title, "type": it.kind} | forum


def member(person: Person, status: str) -> Json:
    """A ChatMember."""
    told: Json = {"user": user(person), "status": status}
    if status == "creator":
        told["is_anonymous"] = False
    if status == "kicked":
        told["until_date"] = 0  # for ever
    return told


def message(it: Chat, post: Post, *, is_reply: bool = False) -> Json:
    """A Message; a message that is replied to is shown without what it replies to itself."""
    shown: Json = {
        "message_id": post.id,
        "from": user(post.sender),
        "chat": chat(it),
        "date": post.date,
    }
    if post.edited is not None:
        shown["edit_date"] = post.edited
    if post.thread is not None:
        shown |= {"message_thread_id": post.thread, "is_topic_message": True}
    if post.album is not None:
        shown["media_group_id"] = post.album
    # In a topic, what replies to nothing replies to the topic's first message.
    replied = it.shown(post.reply_to or post.thread)
    if replied and replied.id != post.id and not is_reply:
        shown["reply_to_message"] = message(it, replied, is_reply=True)
    shown |= content(post)
    if post.markup:
        shown["reply_markup"] = post.markup
    return shown


def content(post: Post) -> Json:
    """What a Message holds: text, or media and caption, or an event."""
    names = ("text", "entities") if post.media is None else ("caption", "caption_entities")
    shown: Json = dict(post.event or {})
    if post.text:
        shown[names[0]] = post.text
    if post.entities:
        shown[names[1]] = entities(post.entities)
    return shown | media(post)


def media(post: Post) -> Json:
    """The medium of a Message."""
    match post.media:
        case None:
            return {}
        case Photo(sizes):
            return {
                "photo": [
                    {
                        "file_id": size.file_id,
                        "file_unique_id": size.unique_id,
                        "file_size": size.length,
                        "width": size.width,
                        "height": size.height,
                    }
                    for size in sizes
                ]
            }
        case Document() as document:
            return {
                "document": {
                    "file_name": document.name,
                    "mime_type": document.mime_type,
                    "file_id": document.file_id,
                    "file_unique_id": document.unique_id,
                    "file_size": len(document.content),
                }
            }
        case other:
            assert_never(other)


def entities(given: Iterable[Entity]) -> list[object]:
    """An Array of MessageEntity."""
    return [msgspec.to_builtins(entity) for entity in given]
