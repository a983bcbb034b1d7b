"""Names of files: the extension fits the bytes, or the name stays."""

import pytest

from bridge.media.naming import fitting_name

JPEG, PNG = b"\xff\xd8\xff\xe0\0\x10JFIF", b"\x89PNG\r\n\x1a\n\0"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jpg", JPEG, "a.jpg"),
        ("a.JPEG", JPEG, "a.JPEG"),
        ("a.png", JPEG, "a.jpg"),
        ("photo", PNG, "photo.png"),
        ("", PNG, "file.png"),
        ("a.b.jpg", PNG, "a.b.png"),
        ("dir/a.png", PNG, "a.png"),
        ("..\\a.png", PNG, "a.png"),
        ("sticker.png", b"RIFF\x10\0\0\0WEBPVP8 ", "sticker.webp"),
        ("a.wav", b"RIFF\x10\0\0\0WAVEfmt ", "a.wav"),
        ("a.dat", b"RIFF\x10\0\0\0XXXX", "a.dat"),
        ("voice.oga", b"OggS\0\x02", "voice.ogg"),
        ("a.bin", b"\0\0\0\x18ftypisom", "a.mp4"),
        ("a.mov", b"\0\0\0\x18ftypisom", "a.mov"),
        ("a.mp4", b"\0\0\0\x18ftypM4A ", "a.m4a"),
        ("a.jpg", b"\0\0\0\x18ftypheic", "a.heic"),
        ("a.docx", b"PK\x03\x04", "a.docx"),
        ("a.bin", b"PK\x03\x04", "a.zip"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.xls"),
        ("a.pdf", b"%PDF-1.7", "a.pdf"),
        ("a.mp3", b"ID3\x04", "a.mp3"),
        ("notes.txt", b"hello", "notes.txt"),
        ("\u661f\u671f.jpg", PNG, "\u661f\u671f.png"),
        ("a.csv", b"", "a.csv"),
    ],
)
def test_names(name, content, expected):
    """Coze judges a file by its extension, so the extension follows the bytes."""
    assert expected == fitting_name(name, content)
