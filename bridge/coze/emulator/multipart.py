"""Takes the file out of an upload.

https://www.rfc-editor.org/rfc/rfc7578
"""

from dataclasses import dataclass
from email.message import Message

from bridge.errors import BackendRejected


@dataclass(frozen=True, slots=True)
class Attached:
    """A file as it was sent."""

    name: str
    content: bytes


def attached_file(content_type: str, raw: bytes) -> Attached:
    """The one part `file` of a form; BackendRejected when there is none, or more, or no name."""
    boundary = _header("Content-Type", content_type).get_boundary()
    if not content_type.startswith("multipart/form-data") or not boundary:
        raise BackendRejected(4000, "an upload is multipart/form-data")
    files = [file for field, file in _parts(raw, boundary.encode()) if field == "file"]
    if not files:
        raise BackendRejected(4000, "the part file is missing")
    if len(files) > 1:
        raise BackendRejected(4301, "one file at a time")
    if not files[0].name:
        raise BackendRejected(4000, "the file has no name")
    return files[0]


def _parts(raw: bytes, boundary: bytes) -> list[tuple[str, Attached]]:
    sections = (b"\r\n" + raw).split(b"\r\n--" + boundary)
    parts = []
    for section in sections[1:-1]:
        head, separator, content = section.partition(b"\r\n\r\n")
        if not separator:
            raise BackendRejected(4000, "the form is malformed")
        disposition = _disposition(head.decode(errors="replace"))
        field = disposition.get_param("name", "", "Content-Disposition")
        parts.append((str(field), Attached(disposition.get_filename("") or "", content)))
    return parts


def _disposition(head: str) -> Message:
    for line in head.split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            return _header("Content-Disposition", value.strip())
    raise BackendRejected(4000, "a part of the form has no name")


def _header(name: str, value: str) -> Message:
    message = Message()
    message[name] = value
    return message
