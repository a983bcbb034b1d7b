"""Whom a text mentions: pure."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from adapters.discord.emulator.form import Allowed

# https://discord.com/developers/docs/reference#message-formatting-formats
USER = re.compile(r"<@!?(\d+)>")
ROLE = re.compile(r"<@&(\d+)>")
EVERYONE = re.compile(r"@(?:everyone|here)\b")
CODE = re.compile(r"```.*?```|``.*?``|`[^`\n]*`", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Who is mentioned, in the order of the text."""

    users: tuple[str, ...]
    roles: tuple[str, ...]
    everyone: bool


def find_mentions(
    text: str,
    allowed: Allowed,
    *,
    persons: Collection[str],
    roles: Collection[str],
    replied_to: str | None = None,
) -> Mentioned:
    """Find the mentions that count; what stands in code is no mention."""
    prose = CODE.sub("", text)
    found = [
        one
        for one in dict.fromkeys(USER.findall(prose))
        if one in persons and ("users" in allowed.parse or one in allowed.users)
    ]
    if replied_to is not None and allowed.replied_user and replied_to not in found:
        found.append(replied_to)
    named = [
        one
        for one in dict.fromkeys(ROLE.findall(prose))
        if one in roles and ("roles" in allowed.parse or one in allowed.roles)
    ]
    is_everyone = "everyone" in allowed.parse and bool(EVERYONE.search(prose))
    return Mentioned(tuple(found), tuple(named), is_everyone)
