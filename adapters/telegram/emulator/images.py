"""The dimensions of a picture, read from its first bytes."""

import struct

# The longest sides that Telegram scales photos to: https://core.telegram.org/api/files
BOXES = (90, 320, 800, 1280)


def dimensions(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, JPEG or WebP, or None for anything else."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", content[16:24])
        if content[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", content[6:10])
        if content.startswith(b"\xff\xd8"):
            return jpeg(content)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return webp(content)
    except (struct.error, IndexError):
        return None
    return None


def mime_type(content: bytes) -> str:
    """The type that the first bytes tell; JPEG, Telegram's own choice, where they do not."""
    if content.startswith(b"\x89PNG"):
        return "image/png"
    if content.startswith(b"GIF8"):
        return "image/gif"
    return "image/webp" if content[8:12] == b"WEBP" else "image/jpeg"


def sizes(width: int, height: int) -> tuple[tuple[int, int], ...]:
    """The sizes a photo is offered in, the largest, its own, last."""
    longest = max(width, height)
    smaller = tuple(
        (max(1, width * box // longest), max(1, height * box // longest))
        for box in BOXES
        if box < longest
    )
    return (*smaller, (width, height))


def jpeg(content: bytes) -> tuple[int, int] | None:
    """Walk over the segments to the frame header; ITU-T T.81, B.2.2."""
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None


def webp(content: bytes) -> tuple[int, int] | None:
    """Read one of the three headers; https://developers.google.com/speed/webp/docs/riff_container."""
    kind = content[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        bits = struct.unpack("<I", content[21:25])[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        width, height = content[24:27], content[27:30]
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    return None
