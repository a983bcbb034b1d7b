"""Reading the body of a request: JSON, or a form with files.

https://discord.com/developers/docs/reference#uploading-files
"""

import json
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.web_request import FileField

from adapters.discord.emulator.form import Upload
from adapters.discord.emulator.refusals import invalid, refusal

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
KINDS = ("application/json", *FORMS)
FILE = re.compile(r"files?\[?(\d*)\]?")


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brought."""

    content: object = None  # as decoded from JSON
    uploads: tuple[Upload, ...] = ()

    @property
    def form(self) -> Mapping[str, object]:
        """The content as an object; Refusal when it is none."""
        if not isinstance(self.content, Mapping):
            raise invalid("", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        return self.content


async def read_body(request: web.Request) -> Body:
    """Read a body, as often as one likes; Refusal says what is wrong with it."""
    if not request.body_exists:
        return Body({})
    try:
        if request.content_type in FORMS:
            return await read_form(request)
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise refusal(40005) from error
    except ValueError as error:  # a broken multipart body
        raise refusal(50109) from error
    if not raw:
        return Body({})
    if request.content_type != "application/json":
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        message = f'Expected "Content-Type" header to be one of {{{kinds}}}.'
        raise invalid("", "CONTENT_TYPE_INVALID", message)
    return Body(parsed(raw))


async def read_form(request: web.Request) -> Body:
    """Read a form whose `payload_json` is what else would be the body."""
    form: dict[str, object] = {}
    uploads: list[Upload] = []
    for name, value in (await request.post()).items():
        if isinstance(value, FileField):
            uploads.append(upload(name, value, len(uploads)))
        elif name == "payload_json":
            content = parsed(value)
            form |= content if isinstance(content, Mapping) else {}
        else:
            form[name] = value.decode() if isinstance(value, bytes) else value
    return Body(form, tuple(uploads))


def upload(name: str, value: FileField, position: int) -> Upload:
    """Read one file; a client that states no type leaves it to be guessed from the name."""
    found = FILE.fullmatch(name)
    index = found[1] if found and found[1] else str(position)
    value.file.seek(0)
    return Upload(index, value.filename, guessed(value), value.file.read())


def guessed(value: FileField) -> str:
    """The type of a file."""
    if value.content_type != "application/octet-stream":
        return value.content_type
    return mimetypes.guess_type(value.filename)[0] or value.content_type


def parsed(raw: str | bytes | bytearray) -> object:
    """Decode JSON; Refusal 50109."""
    try:
        return json.loads(raw)
    except ValueError as error:
        raise refusal(50109) from error
