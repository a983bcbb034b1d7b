"""Turns the content of an answer into Markdown a person can read."""

from collections.abc import Iterator

from bridge.coze.decode import ChatMessage, as_fields, as_list, as_text, parse

FALLBACK = "[card]"
PROSE = ("question", "title", "text", "description")
DEPTH = 12  # of a card; what is buried deeper is not meant to be read


def readable(message: ChatMessage) -> str:
    """The Markdown of an answer; empty where there is nothing to read, such as audio.

    https://www.coze.com/docs/developer_guides/chat_v3 (content_type of the Message object)
    """
    match message.content_type:
        case "audio":
            return ""
        case "card":
            return card(message.content)
        case "object_string":
            return mixed(message.content)
        case _:
            return card(message.content) if is_question(message.content) else message.content


def is_question(content: str) -> bool:
    """Whether a text is one of the question cards that coze-studio labels as text."""
    if not content.startswith("{"):
        return False
    fields = as_fields(parse(content))
    return fields.get("content_type") in ("option", "form_schema") and "content" in fields


def mixed(content: str) -> str:
    """The words and pictures of an object_string, https://www.coze.com/docs/developer_guides/chat_v3."""
    value = parse(content)
    if not isinstance(value, list):
        return content
    return "\n\n".join(filter(None, map(piece, value)))


def piece(value: object) -> str:
    """One part of an object_string as Markdown."""
    part = as_fields(value)
    url = as_text(part.get("file_url"))
    match part.get("type"):
        case "text":
            return as_text(part.get("text"))
        case "image" if url:
            return f"![]({url})"
        case "file" if url:
            return f"<{url}>"
        case _:
            return ""


def card(content: str) -> str:
    """The prose and choices of a card, whose own form only Coze's pages can show."""
    prose: list[str] = []
    choices: list[str] = []
    for line, is_choice in lines(parse(content), DEPTH):
        known = choices if is_choice else prose
        if line not in known:
            known.append(line)
    blocks = [*prose, "\n".join(f"- {choice}" for choice in choices)]
    return "\n\n".join(filter(None, blocks)) or FALLBACK


def lines(value: object, depth: int) -> Iterator[tuple[str, bool]]:
    """What is meant for people in a card, and whether it is a choice."""
    if depth == 0:
        return
    for item in as_list(value):
        choice = item if isinstance(item, str) else as_text(as_fields(item).get("name"))
        if choice:
            yield choice, True
        else:
            yield from lines(item, depth - 1)
    for key, inner in as_fields(value).items():
        inside = parse(inner) if isinstance(inner, str) and inner[:1] in ("{", "[") else inner
        if isinstance(inside, (dict, list)):
            yield from lines(inside, depth - 1)
        elif isinstance(inner, str) and key.lower() in PROSE and inner.strip():
            yield as_text(inner).strip(), False
