"""Discord's Markdown as a person sees it, in HTML: pure.

https://discord.com/developers/docs/reference#message-formatting
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.heading import heading
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

BLOCKS = ("fence", "list")
INLINES = ("newline", "escape", "backticks", "strikethrough", "emphasis", "link", "autolink")
PLAIN = re.compile(r"[^\n!#$%&*+\-:<=>@\[\\\]^_`{}~|]+")  # nothing in it can begin anything
TITLE = re.compile(r"#{1,3}[ \t]+\S")
SPECIAL = re.compile(
    r"<@!?(?P<user>\d+)>|<@&(?P<role>\d+)>|<#(?P<channel>\d+)>"
    r"|<t:(?P<time>\d{1,11})(?::[tTdDfFR])?>|<a?:(?P<emoji>\w+):\d+>"
    r"|(?P<everyone>@everyone|@here)"
    r"|(?P<url>https?://[^\s<>]*[^\s<>.,:;!?)'\"])"
)

Names = Mapping[str, str]
"""What mentions show, by id."""


def to_html(text: str, names: Names) -> str:
    """Show a message's text; whatever it holds, the result is safe to put into a page."""
    return str(reader().render(text, {"names": names}))


def reader() -> MarkdownIt:
    """Markdown-it, taught what Discord knows and nothing else."""
    made = MarkdownIt("zero", {"breaks": True, "html": False})
    made.enable([*BLOCKS, *INLINES])
    stops = ["paragraph", "list"]
    made.block.ruler.before("paragraph", "quote", quote, {"alt": stops})
    made.block.ruler.before("paragraph", "title", title, {"alt": stops})
    made.block.ruler.before("paragraph", "subtext", subtext, {"alt": stops})
    made.inline.ruler.at("text", plain)
    made.inline.ruler.after("escape", "spoiler", spoiler)
    made.validateLink = is_web  # type: ignore[method-assign]  # markdown-it is configured so
    made.add_render_rule("text", show_text)
    made.add_render_rule("strong_open", show_strong)
    made.add_render_rule("strong_close", show_strong)
    made.add_render_rule("link_open", show_link)
    return made


def is_web(url: str) -> bool:
    """Whether a masked link may lead there."""
    return url.startswith(("http://", "https://"))


def plain(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - markdown-it's own signature
    """Take what can begin nothing, as markdown-it does, but stop at a spoiler's bar."""
    found = PLAIN.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.pending += found[0]
    state.pos = found.end()
    return True


def spoiler(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - as above
    """Read ||what is hidden||."""
    start, limit = state.pos + 2, state.posMax
    end = state.src.find("||", start, limit)
    if not state.src.startswith("||", state.pos) or end <= start:
        return False
    if not silent:
        state.push("spoiler_open", "span", 1).attrs = {"class": "spoiler"}
        state.pos, state.posMax = start, end
        state.md.inline.tokenize(state)
        state.posMax = limit
        state.push("spoiler_close", "span", -1)
    state.pos = end + 2
    return True


def quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    """Read lines that begin with "> ", or with ">>> " all that follow."""
    first = line_of(state, start)
    if not first.startswith(("> ", ">>> ")):
        return False
    if silent:
        return True
    after = start + 1
    inner = [first.removeprefix(">>> ").removeprefix("> ")]
    while after < end and (first.startswith(">>> ") or line_of(state, after).startswith("> ")):
        line = line_of(state, after)
        inner.append(line if first.startswith(">>> ") else line[2:])
        after += 1
    state.push("blockquote_open", "blockquote", 1)
    state.md.block.parse("\n".join(inner), state.md, state.env, state.tokens)
    state.push("blockquote_close", "blockquote", -1)
    state.line = after
    return True


def title(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    """Read a heading; there are three levels."""
    return bool(TITLE.match(line_of(state, start))) and heading(state, start, end, silent)


def subtext(state: StateBlock, start: int, _end: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    """Read a line of small print, "-# so"."""
    line = line_of(state, start)
    if not line.startswith("-# ") or not line[3:].strip():
        return False
    if silent:
        return True
    state.push("subtext_open", "small", 1)
    token = state.push("inline", "", 0)
    token.content, token.children, token.map = line[3:].strip(), [], [start, start + 1]
    state.push("subtext_close", "small", -1)
    state.line = start + 1
    return True


def line_of(state: StateBlock, line: int) -> str:
    """A line without its indentation."""
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def show_strong(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Show two underscores as underlined, and two asterisks as bold."""
    if tokens[index].markup == "__":
        tokens[index].tag = "u"
    return self.renderToken(tokens, index, options, env)


def show_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    """Show a link that leads out of the page."""
    tokens[index].attrs |= {"target": "_blank", "rel": "noreferrer noopener"}
    return self.renderToken(tokens, index, options, env)


def show_text(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, env: EnvType
) -> str:
    """Show text, with its mentions and bare links; a link holds no other."""
    text, shown, at = tokens[index].content, [], 0
    opened = [one.type for one in tokens[:index]]
    is_linked = opened.count("link_open") > opened.count("link_close")
    for found in SPECIAL.finditer(text):
        shown.append(escapeHtml(text[at : found.start()]))
        shown.append(show_special(found, env["names"], is_linked=is_linked))
        at = found.end()
    return "".join([*shown, escapeHtml(text[at:])])


def show_special(found: re.Match[str], names: Names, *, is_linked: bool) -> str:
    """Show a mention, a time, an emoji or a bare link."""
    kind = str(found.lastgroup)
    value = escapeHtml(found[kind])
    match kind:
        case "url" if not is_linked:
            value = f'<a href="{value}" target="_blank" rel="noreferrer noopener">{value}</a>'
        case "time":
            value = f"<time>{datetime.fromtimestamp(int(value), UTC):%Y-%m-%d %H:%M} UTC</time>"
        case "emoji":
            value = f":{value}:"
        case "everyone":
            value = mention(value)
        case "channel":
            value = mention(f"#{names.get(value, 'unknown')}")
        case "user" | "role":
            value = mention(f"@{names.get(value, 'unknown-user')}")
    return value


def mention(text: str) -> str:
    """Show a mention."""
    return f'<span class="mention">{escapeHtml(text)}</span>'
