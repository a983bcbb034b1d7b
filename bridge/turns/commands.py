"""The commands that the bridge itself obeys."""

from enum import StrEnum

from bridge.model import Message, Text


class Command(StrEnum):
    """A word after a slash."""

    START = "start"
    HELP = "help"
    NEW = "new"
    STOP = "stop"


def command_of(message: Message) -> Command | None:
    """The command a message begins with; any other /word is a question for the agent."""
    if not message.parts or not isinstance(message.parts[0], Text):
        return None
    word = message.parts[0].text.split(maxsplit=1)[:1]
    if not word or not word[0].startswith("/"):
        return None
    name = word[0][1:].lower()
    return next((command for command in Command if command == name), None)
