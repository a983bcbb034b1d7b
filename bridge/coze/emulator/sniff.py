"""Tells what a file is from its first bytes, and whether its name agrees."""

from pathlib import PurePosixPath

# https://www.coze.com/docs/developer_guides/upload_files: text, Markdown and JSON are not taken.
DOCUMENTS = "doc docx xls xlsx ppt pptx pdf numbers csv cpp py java c"
IMAGES = "jpg jpeg jpg2 png gif webp heic heif bmp pcd tiff"
SOUNDS = "wav mp3 flac m4a aac ogg wma midi"
FILMS = "mp4 avi mov 3gp 3gpp flv webm wmv rmvb m4v mkv"
ARCHIVES = "rar zip 7z gz gzip bz2"
TAKEN = frozenset(f"{DOCUMENTS} {IMAGES} {SOUNDS} {FILMS} {ARCHIVES}".split())

EXTENSIONS = {
    "png": frozenset({"png"}),
    "jpeg": frozenset({"jpg", "jpeg"}),
    "gif": frozenset({"gif"}),
    "webp": frozenset({"webp"}),
    "bmp": frozenset({"bmp"}),
}
NAMES = frozenset().union(*EXTENSIONS.values())


def image_type(content: bytes) -> str | None:
    """The kind of image, or None for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "webp"
    # Two letters prove little: the reserved bytes of the header are zero.
    return "bmp" if content.startswith(b"BM") and content[6:10] == bytes(4) else None


def extension(name: str) -> str:
    """The extension of a file name or of a URL's path, without its dot."""
    return PurePosixPath(name).suffix.removeprefix(".").lower()


def problem(kind: str, name: str, content: bytes) -> str | None:
    """Why Coze cannot use a file as an "image", "file" or "audio" part, or None."""
    found, claimed = image_type(content), extension(name)
    if kind == "image" and found is None:
        return "this is not an image"
    if found and claimed and claimed not in EXTENSIONS[found]:
        return f"the extension {claimed} contradicts the type {found}"
    if not found and claimed in NAMES:
        return f"the extension {claimed} contradicts the content"
    return None
