"""The values an emulated chat is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

Json = dict[str, object]
Standing = Literal["member", "blocked", "kicked"]


@dataclass(frozen=True, slots=True)
class Person:
    """A user, or the bot."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None
    is_bot: bool = False


class Entity(msgspec.Struct, frozen=True, omit_defaults=True):
    """Formatting of a range; https://core.telegram.org/bots/api#messageentity."""

    type: str
    offset: int  # in UTF-16 code units, as is the length
    length: int
    url: str | None = None
    user: Json | None = None
    language: str | None = None
    custom_emoji_id: str | None = None

    @property
    def end(self) -> int:
        """The first UTF-16 code unit behind the range."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Formatted:
    """A text, or the caption of a medium."""

    text: str = ""
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Size:
    """One of the sizes that the service offers a photo in."""

    file_id: str
    unique_id: str
    width: int
    height: int
    length: int  # bytes


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture, smallest size first."""

    sizes: tuple[Size, ...]
    content: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it is."""

    file_id: str
    unique_id: str
    name: str
    mime_type: str
    content: bytes


Media = Photo | Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of a chat as it stands now."""

    id: int
    sender: Person
    date: int
    content: Formatted = Formatted()
    media: Media | None = None
    reply_to: int | None = None
    thread: int | None = None
    markup: Json | None = None
    album: str | None = None
    event: Mapping[str, object] | None = None  # the fields of a service message
    edits: int = 0
    edited: int | None = None  # when
    is_deleted: bool = False

    @property
    def text(self) -> str:
        """The text or the caption."""
        return self.content.text

    @property
    def entities(self) -> tuple[Entity, ...]:
        """The formatting of the text or the caption."""
        return self.content.entities

    @property
    def is_bot(self) -> bool:
        """Whether the bot wrote it."""
        return self.sender.is_bot

    @property
    def photos(self) -> tuple[bytes, ...]:
        """The bytes of its picture, if it has one."""
        return (self.media.content,) if isinstance(self.media, Photo) else ()


@dataclass(slots=True, kw_only=True)
class Chat:
    """The state of one chat."""

    id: int
    kind: Literal["private", "group", "supergroup"]
    members: tuple[Person, ...]
    title: str = ""
    topics: dict[str, int] = field(default_factory=dict)
    posts: dict[int, Post] = field(default_factory=dict)
    standing: Standing = "member"
    upgraded_to: int | None = None
    acted: float | None = None  # when the bot last showed that it is writing

    @property
    def is_private(self) -> bool:
        """Whether it is a chat with one person."""
        return self.kind == "private"

    def shown(self, message: int | None) -> Post | None:
        """A message that was not deleted."""
        post = self.posts.get(message or 0)
        return None if post is None or post.is_deleted else post
