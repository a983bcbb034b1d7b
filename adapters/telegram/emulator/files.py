"""The files of an emulated service, and the names it gives them."""

import base64
from dataclasses import dataclass
from hashlib import blake2b

from adapters.telegram.emulator import images
from adapters.telegram.emulator.post import Document, Media, Photo, Size
from adapters.telegram.emulator.refusal import bad

LARGEST_DOWNLOAD = 20 << 20  # https://core.telegram.org/bots/api#getfile
LARGEST_PHOTO = 10 << 20  # https://core.telegram.org/bots/api#sendphoto
LARGEST_SIDES = 10_000  # width and height together
STEEPEST = 20  # one side over the other
UNKNOWN_SIZE = (1280, 720)  # of a picture whose header cannot be read


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes behind one file id."""

    file_id: str
    unique_id: str
    path: str
    content: bytes


class Files:
    """All files, by id, and by path once getFile has told it."""

    def __init__(self) -> None:
        self._by_id: dict[str, Stored] = {}
        self._media: dict[str, Media] = {}
        self._open: dict[str, Stored] = {}

    def photo(self, content: bytes) -> Photo:
        """Keep a picture, in several sizes."""
        extension = images.mime_type(content).partition("/")[2].replace("jpeg", "jpg")
        measured = images.sizes(*(images.dimensions(content) or UNKNOWN_SIZE))
        kept: list[Size] = []
        for width, height in measured:
            # The bytes are the same for every size: nothing here can scale a picture.
            stored = self._keep("AgACAgIAAxk", f"photos/file_{{}}.{extension}", content)
            kept.append(Size(stored.file_id, stored.unique_id, width, height, len(content)))
        photo = Photo(tuple(kept), content)
        self._media.update({size.file_id: photo for size in kept})
        return photo

    def document(self, name: str, mime_type: str, content: bytes) -> Document:
        """Keep a file as it is."""
        _, dot, extension = name.rpartition(".")
        path = f"documents/file_{{}}{dot}{extension if dot else ''}"
        stored = self._keep("BQACAgIAAxk", path, content)
        document = Document(stored.file_id, stored.unique_id, name, mime_type, content)
        self._media[stored.file_id] = document
        return document

    def known(self, file_id: str) -> Media | None:
        """What was kept under an id, to be sent again."""
        return self._media.get(file_id)

    def prepare(self, file_id: str) -> Stored:
        """Make a file ready for download, as getFile does; raises Refusal."""
        stored = self._by_id.get(file_id)
        if stored is None:
            raise bad("wrong file_id or the file is temporarily unavailable")
        if len(stored.content) > LARGEST_DOWNLOAD:
            raise bad("file is too big")
        self._open[stored.path] = stored
        return stored

    def download(self, path: str) -> bytes | None:
        """The bytes at a path that getFile has told."""
        stored = self._open.get(path)
        return stored.content if stored else None

    def _keep(self, prefix: str, path: str, content: bytes) -> Stored:
        number = len(self._by_id)
        token = base64.urlsafe_b64encode(
            blake2b(str(number).encode() + content[:64], digest_size=36).digest()
        ).decode()
        stored = Stored(prefix + token, "AQAD" + token[:12], path.format(number), content)
        self._by_id[stored.file_id] = stored
        return stored


def check_photo(content: bytes) -> None:
    """Refuse to take these bytes for a photo of a bot."""
    size = images.dimensions(content)
    if size is None or len(content) > LARGEST_PHOTO:
        raise bad("IMAGE_PROCESS_FAILED")
    if sum(size) > LARGEST_SIDES or max(size) > STEEPEST * min(size):
        raise bad("PHOTO_INVALID_DIMENSIONS")
