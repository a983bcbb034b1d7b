"""Methods that put a message into a chat."""

from dataclasses import dataclass

from adapters.telegram.emulator import files, formatted, keyboard, wire
from adapters.telegram.emulator.parameters import Parameters, Upload
from adapters.telegram.emulator.post import Chat, Formatted, Json, Media, Photo, Post
from adapters.telegram.emulator.refusal import bad
from adapters.telegram.emulator.world import World

ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice"}
    | {"record_audio", "upload_audio", "upload_document", "choose_sticker", "find_location"}
    | {"record_video_note", "upload_video_note"}
)
DRAFT = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes."""

    chat: Chat
    thread: int | None
    reply_to: int | None


def send_message(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#sendmessage."""
    if not given.text("text"):
        raise bad("message text is empty")
    raw = read_text(given, "text", "entities")
    markup = keyboard.read(given.nested("reply_markup"))
    place = find_place(world, given)
    text = formatted.message_text(raw, world.known_people(), is_edit=False)
    world.charge(place.chat)
    return put(world, place, text, markup=markup)


def send_photo(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#sendphoto."""
    return send_media(world, given, "photo")


def send_document(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#senddocument."""
    return send_media(world, given, "document")


def send_media(world: World, given: Parameters, kind: str) -> object:
    """Send one photo or one file."""
    raw = read_text(given, "caption", "caption_entities")
    markup = keyboard.read(given.nested("reply_markup"))
    place = find_place(world, given)
    caption = formatted.caption(raw, world.known_people())
    medium = find_medium(world, given, kind, given.text(kind) or f"attach://{kind}")
    world.charge(place.chat)
    return put(world, place, caption, medium=medium, markup=markup)


def send_media_group(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#sendmediagroup."""
    items = given.nested("media")
    if not isinstance(items, list) or not 2 <= len(items) <= 10:
        raise bad("expected an Array of 2-10 InputMedia")
    place = find_place(world, given)
    kinds = [item.get("type") if isinstance(item, dict) else None for item in items]
    if kinds[0] not in ("photo", "document") or kinds != kinds[:1] * len(kinds):
        raise bad("can't use the media of the specified type in the album")
    ready = [read_item(world, given, item) for item in items]
    world.charge(place.chat, len(ready))
    album = str(next(world.album_ids))
    return [put(world, place, text, medium=medium, album=album) for text, medium in ready]


def send_chat_action(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#sendchataction."""
    place = find_place(world, given)
    if given.text("action").lower() not in ACTIONS:
        raise bad("wrong parameter action in request")
    world.charge_action(place.chat)
    return True


def send_message_draft(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#sendmessagedraft; an empty text means "Thinking…"."""
    raw = read_text(given, "text", "entities")
    place = find_place(world, given)
    if not place.chat.is_private:
        raise bad("TEXTDRAFT_PEER_INVALID")
    if not given.integer("draft_id"):
        raise bad("RANDOM_ID_INVALID")
    text = formatted.settled(raw, world.known_people())
    if len(text.text) > DRAFT:
        raise bad("message is too long")
    world.charge_action(place.chat)
    return True


def read_text(given: Parameters, text: str, entities: str) -> Formatted:
    """Read a text, or a caption, and its formatting; raises Refusal."""
    return formatted.parsed(given.text(text), given.text("parse_mode"), given.nested(entities))


def find_place(world: World, given: Parameters) -> Place:
    """Read the chat, the topic and what is replied to; raises Refusal."""
    chat = world.writable(given.text("chat_id"))
    thread = given.integer("message_thread_id") or None
    if thread is not None and thread not in chat.topics.values():
        raise bad("message thread not found")
    return Place(chat, thread, find_reply(chat, given))


def find_reply(chat: Chat, given: Parameters) -> int | None:
    """Read which message is replied to; one that is gone may be ignored only where it says so."""
    reply = given.nested("reply_parameters")
    if reply is None and given.integer("reply_to_message_id"):
        reply = {
            "message_id": given.integer("reply_to_message_id"),
            "allow_sending_without_reply": given.flag("allow_sending_without_reply"),
        }
    if reply is None:
        return None
    if not isinstance(reply, dict) or not isinstance(reply.get("message_id"), int):
        raise bad('can\'t find field "message_id"')
    post = chat.shown(reply["message_id"])
    if post is None and reply.get("allow_sending_without_reply") is not True:
        raise bad("message to be replied not found")
    return post.id if post else None


def read_item(world: World, given: Parameters, item: Json) -> tuple[Formatted, Media]:
    """Read one InputMedia of an album."""
    mode = str(item.get("parse_mode") or "")
    raw = formatted.parsed(str(item.get("caption") or ""), mode, item.get("caption_entities"))
    caption = formatted.caption(raw, world.known_people())
    return caption, find_medium(world, given, str(item["type"]), str(item.get("media")))


def find_medium(world: World, given: Parameters, kind: str, reference: str) -> Media:
    """Keep a file that came with the call, or find one sent before; raises Refusal."""
    if reference.startswith("attach://"):
        upload = given.uploads.get(reference.removeprefix("attach://"))
        if upload is None or not upload.content:
            raise bad(f"there is no {kind} in the request" if upload is None else "file is empty")
        return keep(world, kind, upload)
    if reference.startswith(("http://", "https://")):
        # Nothing is fetched here: an emulator reaches nobody but its own client.
        raise bad("failed to get HTTP URL content")
    medium = world.files.known(reference)
    if medium is None:
        raise bad("wrong file identifier/HTTP URL specified")
    if isinstance(medium, Photo) != (kind == "photo"):
        raise bad(f"can't use file of type {type(medium).__name__} as {kind.capitalize()}")
    return medium


def keep(world: World, kind: str, upload: Upload) -> Media:
    """Keep an upload as a photo or as it is."""
    if kind == "photo":
        files.check_photo(upload.content)
        return world.files.photo(upload.content)
    return world.files.document(upload.name, upload.mime_type, upload.content)


def put(
    world: World,
    place: Place,
    text: Formatted,
    *,
    medium: Media | None = None,
    markup: Json | None = None,
    album: str | None = None,
) -> Json:
    """Put the bot's message into the chat and answer with it."""
    post = Post(
        id=world.next_message(place.chat),
        sender=world.bot,
        date=world.date,
        content=text,
        media=medium,
        reply_to=place.reply_to,
        thread=place.thread,
        markup=keyboard.inline(markup),
        album=album,
    )
    return wire.message(place.chat, world.put(place.chat, post))
