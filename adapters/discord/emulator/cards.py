"""Checking embeds and components, the parts of a message that are laid out.

https://discord.com/developers/docs/resources/message#embed-object-embed-limits and
https://discord.com/developers/docs/components/reference
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from adapters.discord.emulator.refusals import Problems
from adapters.discord.emulator.world import Json

EMBED_TEXTS = {
    ("title",): 256,
    ("description",): 4096,
    ("footer", "text"): 2048,
    ("author", "name"): 256,
}
FIELD_TEXTS = {"name": 256, "value": 1024}
MAX_EMBED_TEXT = 6000
ACTION_ROW, BUTTON, TEXT_DISPLAY, LINK_STYLE = 1, 2, 10, 5
MAX_V2_TEXT = 4000


def check_embeds(form: Json, problems: Problems) -> tuple[Json, ...] | None:
    """Read the embeds."""
    embeds = read_list(form, "embeds", problems)
    if embeds is None:
        return None
    if len(embeds) > 10:
        problems.too_long("embeds", 10)
    total = 0
    for index, embed in enumerate(embeds):
        total += sum(check_embed(embed, f"embeds.{index}", problems))
    if total > MAX_EMBED_TEXT:
        message = f"Embed size exceeds maximum size of {MAX_EMBED_TEXT}"
        problems.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", message)
    return tuple({**embed, "type": "rich"} for embed in embeds)


def check_embed(embed: Json, path: str, problems: Problems) -> Iterator[int]:
    """Check one embed, and yield the lengths of its texts."""
    for steps, limit in EMBED_TEXTS.items():
        value: object = embed
        for step in steps:
            value = value.get(step) if isinstance(value, Mapping) else None
        yield check_text(value, f"{path}.{'.'.join(steps)}", limit, problems)
    fields = read_list(embed, "fields", problems, f"{path}.") or ()
    if len(fields) > 25:
        problems.too_long(f"{path}.fields", 25)
    for index, field in enumerate(fields):
        for name, limit in FIELD_TEXTS.items():
            if not field.get(name):
                problems.required(f"{path}.fields.{index}.{name}")
            yield check_text(field.get(name), f"{path}.fields.{index}.{name}", limit, problems)


def check_text(value: object, path: str, limit: int, problems: Problems) -> int:
    """Check one text, and return its length."""
    if not isinstance(value, str):
        return 0
    if len(value) > limit:
        problems.too_long(path, limit)
    return len(value)


def check_components(form: Json, problems: Problems, *, is_v2: bool) -> tuple[Json, ...] | None:
    """Read the components; without the flag of the second version only rows may stand on top."""
    components = read_list(form, "components", problems)
    if components is None:
        return None
    if is_v2:
        check_layout(components, problems)
        return numbered(components)
    if len(components) > 5:
        problems.too_long("components", 5)
    for index, row in enumerate(components):
        path = f"components.{index}"
        if row.get("type") == ACTION_ROW:
            check_row(row, path, problems)
            continue
        message = f'Value of field "type" must be one of ({ACTION_ROW},).'
        problems.add(f"{path}.type", "UNION_TYPE_CHOICES", message)
    return numbered(components)


def check_layout(components: Sequence[Json], problems: Problems) -> None:
    """Check what the second version of components limits: their number and all their text."""
    every = list(walk(components))
    if len(every) > 40:
        problems.too_long("components", 40)
    texts = [str(one.get("content", "")) for one in every if one.get("type") == TEXT_DISPLAY]
    if sum(map(len, texts)) > MAX_V2_TEXT:
        message = f"The total text size must be {MAX_V2_TEXT} or fewer in length."
        problems.add("components", "COMPONENT_MAX_TOTAL_TEXT_SIZE_EXCEEDED", message)


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """All components, those inside others too."""
    for one in components:
        yield one
        below = one.get("components")
        if isinstance(below, list):
            yield from walk([child for child in below if isinstance(child, Mapping)])


def numbered(components: Sequence[Json]) -> tuple[Json, ...]:
    """Give ids to the components that have none, as the service does.

    https://discord.com/developers/docs/components/reference#anatomy-of-a-component
    """
    taken = [one.get("id") for one in walk(components)]
    free = (number for number in itertools.count(1) if number not in taken)
    return tuple(with_id(one, free) for one in components)


def with_id(component: Json, free: Iterator[int]) -> Json:
    """A component with an id, and ids inside it."""
    own = {**component, "id": component.get("id") or next(free)}
    below = component.get("components")
    if not isinstance(below, list):
        return own
    inside = [with_id(one, free) if isinstance(one, Mapping) else one for one in below]
    return {**own, "components": inside}


def check_row(row: Json, path: str, problems: Problems) -> None:
    """Check a row and the buttons in it."""
    children = read_list(row, "components", problems, f"{path}.") or ()
    if not 1 <= len(children) <= 5:
        message = "Must be between 1 and 5 in length."
        problems.add(f"{path}.components", "BASE_TYPE_BAD_LENGTH", message)
    for index, child in enumerate(children):
        if child.get("type") == BUTTON:
            check_button(child, f"{path}.components.{index}", problems)


def check_button(button: Json, path: str, problems: Problems) -> None:
    """Check a button: a link has a URL, any other an id of the bot's own."""
    if button.get("style") != LINK_STYLE and not button.get("custom_id"):
        message = "A custom id is required"
        problems.add(path, "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", message)
    check_text(button.get("custom_id"), f"{path}.custom_id", 100, problems)
    check_text(button.get("label"), f"{path}.label", 80, problems)


def read_list(
    form: Json, name: str, problems: Problems, inside: str = ""
) -> tuple[Json, ...] | None:
    """Read a list of objects; null is an empty one."""
    if name not in form:
        return None
    given = form[name]
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        problems.wrong_type(f"{inside}{name}", "list")
        return None
    return tuple(given)
