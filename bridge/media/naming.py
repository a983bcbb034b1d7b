"""Gives a file the name and type that fit its bytes: Coze refuses others with 4000."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from msgspec.structs import replace

from bridge.model import MediaRef

# The first extension is the one to use; the others are right, too.
JPEG, PNG, GIF, WEBP = ("jpg", "jpeg", "jpg2"), ("png",), ("gif",), ("webp",)
OGG = ("ogg",)
ISO_VIDEO = ("mp4", "m4v", "mov", "3gp", "3gpp", "m4a")
ZIP = ("zip", "docx", "xlsx", "pptx", "numbers")
OLE = ("doc", "xls", "ppt")

STARTS: Mapping[bytes, tuple[str, ...]] = {
    b"\xff\xd8\xff": JPEG,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"GIF8": GIF,
    b"BM": ("bmp",),
    b"II*\x00": ("tiff",),
    b"MM\x00*": ("tiff",),
    b"%PDF-": ("pdf",),
    b"PK\x03\x04": ZIP,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": OLE,
    b"OggS": OGG,
    b"ID3": ("mp3",),
    b"fLaC": ("flac",),
    b"\x1aE\xdf\xa3": ("webm", "mkv"),
    b"Rar!": ("rar",),
    b"7z\xbc\xaf\x27\x1c": ("7z",),
    b"\x1f\x8b": ("gz", "gzip"),
    b"BZh": ("bz2",),
    b"MThd": ("midi",),
}
RIFF: Mapping[bytes, tuple[str, ...]] = {b"WEBP": WEBP, b"WAVE": ("wav",), b"AVI ": ("avi",)}
BRANDS: Mapping[bytes, tuple[str, ...]] = {
    b"M4A ": ("m4a",),
    b"qt  ": ("mov",),
    b"heic": ("heic",),
    b"heix": ("heic",),
    b"mif1": ("heif", "heic"),
}


IMAGE_TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "heic": "image/heic",
    "heif": "image/heif",
}


def fitting(ref: MediaRef, content: bytes) -> MediaRef:
    """The file under the name and, if it is an image, the type that its first bytes tell."""
    found = extensions(content)
    mime_type = IMAGE_TYPES.get(found[0], ref.mime_type) if found else ref.mime_type
    return replace(ref, name=fitting_name(ref.name, content), mime_type=mime_type)


def fitting_name(name: str, content: bytes) -> str:
    """The name, with another extension where the bytes are plainly of another type."""
    fitting = extensions(content)
    path = PurePosixPath(name.replace("\\", "/").rpartition("/")[2] or "file")
    if not fitting or path.suffix[1:].lower() in fitting:
        return path.name
    return f"{path.stem}.{fitting[0]}"


def extensions(content: bytes) -> tuple[str, ...]:
    """The extensions that fit bytes with a known signature; none for others.

    https://en.wikipedia.org/wiki/List_of_file_signatures
    """
    if content.startswith(b"RIFF"):
        return RIFF.get(content[8:12], ())
    if content[4:8] == b"ftyp":
        return BRANDS.get(content[8:12], ISO_VIDEO)
    return next((fit for start, fit in STARTS.items() if content.startswith(start)), ())
