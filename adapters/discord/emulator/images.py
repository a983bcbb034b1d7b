"""The size of an image in pixels, read from its first bytes: pure."""

import struct

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8"
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the JPEG markers that hold a size


def size_of(content: bytes) -> tuple[int, int] | None:
    """Width and height of a PNG, GIF, WebP or JPEG, or None."""
    try:
        if content.startswith(PNG):
            return pair(">II", content, 16)
        if content.startswith((b"GIF87a", b"GIF89a")):
            return pair("<HH", content, 6)
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return webp_size(content)
        if content.startswith(JPEG):
            return jpeg_size(content)
    except struct.error:
        return None
    return None


def pair(layout: str, content: bytes, offset: int) -> tuple[int, int]:
    """Read two numbers."""
    first, second = struct.unpack_from(layout, content, offset)
    return int(first), int(second)


def webp_size(content: bytes) -> tuple[int, int] | None:
    """The size by the kind of WebP: https://developers.google.com/speed/webp/docs/riff_container."""
    match content[12:16]:
        case b"VP8 ":
            width, height = pair("<HH", content, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", content, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            width, height = (int.from_bytes(content[at : at + 3], "little") for at in (24, 27))
            return width + 1, height + 1
    return None


def jpeg_size(content: bytes) -> tuple[int, int] | None:
    """The size in the first frame header."""
    position = 2
    while position + 4 <= len(content):
        marker, length = struct.unpack_from(">xBH", content, position)
        if marker in FRAMES:
            height, width = pair(">HH", content, position + 5)
            return width, height
        position += 2 + length
    return None


def mime_of(content: bytes) -> str:
    """The type of an image by its first bytes."""
    if content.startswith(JPEG):
        return "image/jpeg"
    if content.startswith(b"GIF8"):
        return "image/gif"
    return "image/webp" if content[8:12] == b"WEBP" else "image/png"
