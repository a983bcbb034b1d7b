"""Finds the file of a message, and how it is asked for again."""

from pathlib import PurePosixPath

import telegram

from adapters.telegram.config import PLATFORM
from bridge.model import BotName, MediaRef

# Extensions that Coze takes for a type; a name with none of them is given the first.
EXTENSIONS = {
    "image/jpeg": (".jpg", ".jpeg"),
    "image/png": (".png",),
    "image/gif": (".gif",),
    "image/webp": (".webp",),
    "audio/ogg": (".ogg", ".oga", ".opus"),
    "audio/mpeg": (".mp3",),
    "audio/mp4": (".m4a", ".mp4"),
    "video/mp4": (".mp4",),
    "application/pdf": (".pdf",),
}
LONGEST_EXTENSION = 4
UNKNOWN_TYPE = "application/octet-stream"

Media = (
    telegram.Animation
    | telegram.Audio
    | telegram.Document
    | telegram.Video
    | telegram.VideoNote
    | telegram.Voice
)


def attached(source: telegram.Message, bot: BotName) -> MediaRef | None:
    """A message's photo or file, if it has one."""
    return photo_of(source, bot) or file_of(source, bot)


def photo_of(source: telegram.Message, bot: BotName) -> MediaRef | None:
    """The largest of a photo's sizes."""
    if not source.photo:
        return None
    largest = max(source.photo, key=lambda size: size.width * size.height)
    return MediaRef(
        platform=PLATFORM,
        bot=bot,
        handle=largest.file_id,
        mime_type="image/jpeg",
        name="photo.jpg",
        size=largest.file_size,
    )


def file_of(source: telegram.Message, bot: BotName) -> MediaRef | None:
    """Whatever else is attached; an animation comes as a document, too, and is asked for first."""
    found: tuple[tuple[Media | None, str, str], ...] = (
        (source.animation, "animation", "video/mp4"),
        (source.document, "document", UNKNOWN_TYPE),
        (source.video, "video", "video/mp4"),
        (source.video_note, "video", "video/mp4"),
        (source.audio, "audio", "audio/mpeg"),
        (source.voice, "voice", "audio/ogg"),
    )
    for media, name, usual in found:
        if media:
            return reference(media, name, usual, bot)
    return None


def reference(media: Media, name: str, usual: str, bot: BotName) -> MediaRef:
    """How the file is found again: by its id, never by a URL, which would hold the token."""
    given = getattr(media, "mime_type", None) or usual  # a video note does not state its type
    mime_type = given.partition(";")[0].strip().lower()
    return MediaRef(
        platform=PLATFORM,
        bot=bot,
        handle=media.file_id,
        mime_type=mime_type,
        name=named_for(getattr(media, "file_name", None) or name, mime_type),
        size=media.file_size,
    )


def named_for(name: str, mime_type: str) -> str:
    """The name, with an extension that fits the type, because Coze goes by the extension."""
    extension = PurePosixPath(name).suffix.lower()
    fitting = EXTENSIONS.get(mime_type)
    if fitting:
        return name if extension in fitting else name + fitting[0]
    # Of other types the short ones are their own extension: text/csv, audio/flac, image/heic.
    subtype = mime_type.partition("/")[2]
    is_extension = subtype.isalnum() and len(subtype) <= LONGEST_EXTENSION
    return f"{name}.{subtype}" if is_extension and not extension else name
