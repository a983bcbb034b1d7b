"""The parse mode Markdown of old; https://core.telegram.org/bots/api#markdown-style."""

import re

from adapters.telegram.emulator import utf16
from adapters.telegram.emulator.parsed import Parsed, problem
from adapters.telegram.emulator.post import Formatted

TOKEN = re.compile(
    r"\\(?P<escaped>[_*`\[])"
    r"|(?P<fence>```)(?:(?P<language>[^\s`]+)(?=\s))?\n?(?P<block>.*?)```"
    r"|(?P<mark>[_*`])(?P<inner>.*?)(?P=mark)"
    r"|\[(?P<label>[^\]]*)\](?:\((?P<url>[^)]*)\))?"
    r"|(?P<unended>[_*`\[])"
    r"|(?P<text>[^\\_*`\[]+|\\)",
    re.DOTALL,
)
TYPES = {"_": "italic", "*": "bold", "`": "code"}


def parse(source: str) -> Formatted:
    """Turn markup into text and entities, which do not nest; raises Refusal."""
    out = Parsed()
    for token in TOKEN.finditer(source):
        if token["unended"]:
            offset = utf16.byte_offset(source, token.start())
            raise problem(f"Can't find end of the entity starting at byte offset {offset}")
        add(out, token)
    return out.finish()


def add(out: Parsed, token: re.Match[str]) -> None:
    """Go on with one token."""
    start = out.length
    if token["fence"]:
        out.add(token["block"])
        out.close("pre", start, language=token["language"])
    elif token["mark"]:
        out.add(token["inner"])
        out.close(TYPES[token["mark"]], start)
    elif token["label"] is not None:
        out.add(token["label"])
        out.close("text_link", start, url=token["url"] or token["label"])
    else:
        out.add(token["escaped"] or token["text"])
