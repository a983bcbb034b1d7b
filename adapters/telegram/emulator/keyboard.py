"""Keyboards as a bot sends them: read, and refused where wrong."""

from adapters.telegram.emulator import links
from adapters.telegram.emulator.post import Json
from adapters.telegram.emulator.refusal import Refusal, bad

CALLBACK_DATA = 64  # bytes
ACTIONS = frozenset(
    {"url", "callback_data", "web_app", "login_url", "switch_inline_query", "copy_text"}
    | {"switch_inline_query_current_chat", "switch_inline_query_chosen_chat"}
    | {"callback_game", "pay"}
)
FLAGS = ("force_reply", "remove_keyboard", "selective", "one_time_keyboard", "is_persistent")


def read(given: object) -> Json | None:
    """Check a reply_markup and return it, or None for none; raises Refusal."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise bad("object expected as reply markup")
    for name in FLAGS:
        if not isinstance(given.get(name, False), bool):
            raise bad(f'field "{name}" must be of type Boolean')
    for name in ("inline_keyboard", "keyboard"):
        for button in buttons(given, name):
            check(button, is_inline=name == "inline_keyboard")
    return given or None


def inline(markup: Json | None) -> Json | None:
    """The part of a markup that a message keeps."""
    return markup if markup and markup.get("inline_keyboard") else None


def buttons(markup: Json, name: str = "inline_keyboard") -> list[object]:
    """All buttons of a keyboard, row after row; raises Refusal where it has no rows."""
    rows = markup.get(name, [])
    if not isinstance(rows, list):
        raise bad(f'field "{name}" must be of type Array')
    for row in rows:
        if not isinstance(row, list):
            raise bad(f'field "{name}" must be an Array of Arrays')
    return [button for row in rows for button in row]


def check(button: object, *, is_inline: bool) -> None:
    """Refuse a button without a text, or an inline one that does nothing."""
    if isinstance(button, str) and button and not is_inline:
        return
    if not isinstance(button, dict):
        raise wrong("KeyboardButton must be an Object", is_inline=is_inline)
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise wrong('Can\'t find field "text"', is_inline=is_inline)
    if is_inline:
        check_action(button)


def check_action(button: Json) -> None:
    """Refuse an inline button whose action the service cannot carry out."""
    given = {name: value for name, value in button.items() if name in ACTIONS and value != ""}
    if not given:
        raise wrong("Text buttons are unallowed in the inline keyboard", is_inline=True)
    if len(str(given.get("callback_data", "")).encode()) > CALLBACK_DATA:
        raise bad("BUTTON_DATA_INVALID")
    url = given.get("url")
    if isinstance(url, str) and (problem := links.problem(url)):
        raise bad(f"inline keyboard button URL '{url}' is invalid: {problem}")


def wrong(problem: str, *, is_inline: bool) -> Refusal:
    """The refusal of a button that makes no sense in itself."""
    kind = "inline keyboard button" if is_inline else "reply keyboard button"
    return bad(f"can't parse {kind}: {problem}")
