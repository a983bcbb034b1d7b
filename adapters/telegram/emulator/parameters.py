"""The parameters of a call, however they were sent: in the end all of them are strings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from adapters.telegram.emulator.refusal import bad


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with the call."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Parameters:
    """Parameters by name; nested ones are JSON. https://core.telegram.org/bots/api#making-requests."""

    values: Mapping[str, str]
    uploads: Mapping[str, Upload]

    def text(self, name: str) -> str:
        """A string, empty where it is missing."""
        return self.values.get(name, "")

    def integer(self, name: str, default: int = 0) -> int:
        """A number; what is none counts as missing."""
        try:
            return int(self.values[name])
        except (KeyError, ValueError):
            return default

    def flag(self, name: str) -> bool:
        """A boolean."""
        return self.text(name).lower() in ("true", "yes", "1")

    def nested(self, name: str) -> object:
        """A JSON-encoded value, None where it is missing; raises Refusal."""
        value = self.text(name)
        if not value:
            return None
        try:
            found: object = json.loads(value)
        except ValueError as error:
            raise bad(f"can't parse {name} JSON object") from error
        return found


async def read(request: web.Request) -> Parameters:
    """Read the query and the body; raises Refusal."""
    values = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        values |= await read_json(request)
    elif request.can_read_body:
        # A form may come with GET as well, where aiohttp by itself looks for none.
        for name, value in (await request.clone(method="POST").post()).items():
            if isinstance(value, web.FileField):
                content = value.file.read()
                uploads[name] = Upload(value.filename, value.content_type, content)
            else:
                values[name] = value if isinstance(value, str) else value.decode("utf-8", "replace")
    return Parameters(values, uploads)


async def read_json(request: web.Request) -> dict[str, str]:
    """Read an object; its members are turned into what a form would have held."""
    try:
        body = await request.json()
    except ValueError as error:
        raise bad("can't parse request body as JSON") from error
    if not isinstance(body, dict):
        raise bad("request body must be a JSON object")
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in body.items()
        if value is not None
    }
