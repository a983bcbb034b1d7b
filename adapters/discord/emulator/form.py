"""Reading the form of a message: what it says, or exactly what is wrong with it.

https://discord.com/developers/docs/resources/message#create-message
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.discord.emulator.cards import check_components, check_embeds
from adapters.discord.emulator.refusals import Problems, refusal
from adapters.discord.emulator.world import EPHEMERAL, Json

MAX_CONTENT = 2000  # code points: the service counts as Python does
MAX_FILE = 10 * 1024 * 1024  # https://discord.com/developers/docs/reference#uploading-files
MAX_NONCE = 25
SUPPRESS_EMBEDS = 1 << 2
COMPONENTS_V2 = 1 << 15
SETTABLE = SUPPRESS_EMBEDS | 1 << 12 | 1 << 13 | COMPONENTS_V2
MENTION_KINDS = ("users", "roles", "everyone")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came with a form; `index` is the n of files[n]."""

    index: str
    name: str
    mime: str
    content: bytes = field(repr=False)
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """Which mentions count; https://discord.com/developers/docs/resources/message#allowed-mentions-object."""

    parse: frozenset[str] = frozenset(MENTION_KINDS)
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    replied_user: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """What a form refers to, before anyone has looked whether it exists."""

    message: str
    channel: str | None
    kind: int
    must_exist: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The form of a message, found in order; None is what was not given."""

    content: str | None = None
    embeds: tuple[Json, ...] | None = None
    components: tuple[Json, ...] | None = None
    flags: int | None = None
    kept: frozenset[str] | None = None  # ids of attachments that an edit leaves in place
    files: tuple[Upload, ...] = ()
    allowed: Allowed = Allowed()
    target: Target | None = None
    nonce: str | int | None = None
    enforce_nonce: bool = False
    tts: bool = False
    is_ephemeral: bool = False  # heeded in an answer to an interaction alone

    @property
    def is_empty(self) -> bool:
        """Whether nothing would be seen."""
        is_forward = self.target is not None and self.target.kind == 1
        return not (self.content or self.embeds or self.components or self.files or is_forward)


def read_draft(form: Json, uploads: Sequence[Upload] = ()) -> Draft:
    """Check a form; Refusal 50035 says all that is wrong with it at once, 40005 is a large file."""
    problems = Problems()
    flags = read_flags(form, problems)
    kept, files = read_attachments(form, uploads, problems)
    draft = Draft(
        content=read_content(form, problems),
        embeds=check_embeds(form, problems),
        components=check_components(form, problems, is_v2=bool((flags or 0) & COMPONENTS_V2)),
        flags=flags,
        kept=kept,
        files=files,
        allowed=read_allowed(form, problems),
        target=read_target(form, problems),
        nonce=read_nonce(form, problems),
        enforce_nonce=form.get("enforce_nonce") is True,
        tts=form.get("tts") is True,
        is_ephemeral=bool(whole(form.get("flags")) & EPHEMERAL),
    )
    problems.settle()
    if any(len(upload.content) > MAX_FILE for upload in uploads):
        raise refusal(40005)
    return draft


def is_snowflake(value: object) -> bool:
    """Whether this is an id: a string of digits, or a number, as some clients send it."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return is_number or (isinstance(value, str) and value.isascii() and value.isdecimal())


def whole(value: object) -> int:
    """A number, or 0 for anything else."""
    return value if isinstance(value, int) else 0


def read_content(form: Json, problems: Problems) -> str | None:
    """Read the text; null is an empty one."""
    if "content" not in form:
        return None
    content = form["content"]
    if content is None:
        return ""
    if not isinstance(content, str):
        problems.wrong_type("content", "string")
        return None
    if len(content) > MAX_CONTENT:
        problems.too_long("content", MAX_CONTENT)
    return content.strip()


def read_flags(form: Json, problems: Problems) -> int | None:
    """Read the flags; those that nobody may set are left out, as the service does."""
    flags = form.get("flags")
    if flags is None:
        return None
    if not isinstance(flags, int):
        problems.wrong_type("flags", "int")
        return None
    taken = [name for name in ("content", "embeds", "sticker_ids", "poll") if form.get(name)]
    for name in taken if flags & COMPONENTS_V2 else []:
        problems.add(
            name,
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            f"The '{name}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        )
    return flags & SETTABLE


def read_nonce(form: Json, problems: Problems) -> str | int | None:
    """Read the nonce."""
    nonce = form.get("nonce")
    if nonce is None:
        return None
    if isinstance(nonce, bool) or not isinstance(nonce, str | int):
        problems.add("nonce", "NONCE_TYPE_INVALID_TYPE", "This field must be a string or integer.")
        return None
    if len(str(nonce)) > MAX_NONCE:
        problems.add("nonce", "NONCE_TYPE_TOO_LONG", "Must be 25 or fewer characters long.")
    return nonce


def read_allowed(form: Json, problems: Problems) -> Allowed:
    """Read which mentions count; without a word on it, all do."""
    given = form.get("allowed_mentions")
    if given is None:
        return Allowed()
    if not isinstance(given, Mapping):
        problems.wrong_type("allowed_mentions", "dict")
        return Allowed()
    parse = read_parse(given.get("parse"), problems)
    listed: dict[str, frozenset[str]] = {}
    for kind in ("users", "roles"):
        listed[kind] = read_ids(given.get(kind), f"allowed_mentions.{kind}", problems)
        if kind in parse and listed[kind]:
            problems.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.',
            )
    return Allowed(parse, listed["users"], listed["roles"], given.get("replied_user") is True)


def read_parse(given: object, problems: Problems) -> frozenset[str]:
    """Read the kinds of mentions that are looked for in the text."""
    if given is None:
        return frozenset()
    if not isinstance(given, list):
        problems.wrong_type("allowed_mentions.parse", "list")
        return frozenset()
    for index, kind in enumerate(given):
        if kind not in MENTION_KINDS:
            choices = ", ".join(f"'{one}'" for one in MENTION_KINDS)
            path = f"allowed_mentions.parse.{index}"
            problems.add(path, "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")
    return frozenset(str(kind) for kind in given)


def read_ids(given: object, path: str, problems: Problems) -> frozenset[str]:
    """Read a list of ids, at most a hundred."""
    if given is None:
        return frozenset()
    if not isinstance(given, list):
        problems.wrong_type(path, "list")
        return frozenset()
    if len(given) > 100:
        problems.too_long(path, 100)
    for index, value in enumerate(given):
        if not is_snowflake(value):
            problems.not_snowflake(f"{path}.{index}", value)
    return frozenset(str(value) for value in given)


def read_target(form: Json, problems: Problems) -> Target | None:
    """Read what the message replies to or forwards."""
    given = form.get("message_reference")
    if given is None:
        return None
    if not isinstance(given, Mapping):
        problems.wrong_type("message_reference", "dict")
        return None
    if given.get("message_id") is None:
        problems.required("message_reference.message_id")
    for name in ("message_id", "channel_id", "guild_id"):
        if given.get(name) is not None and not is_snowflake(given[name]):
            problems.not_snowflake(f"message_reference.{name}", given[name])
    kind = 0 if given.get("type") is None else given["type"]
    if kind not in (0, 1):
        path = "message_reference.type"
        problems.add(path, "BASE_TYPE_CHOICES", "Value must be one of (0, 1).")
    channel = given.get("channel_id")
    return Target(
        message=str(given.get("message_id")),
        channel=None if channel is None else str(channel),
        kind=1 if kind == 1 else 0,
        must_exist=given.get("fail_if_not_exists") is not False,
    )


def read_attachments(
    form: Json, uploads: Sequence[Upload], problems: Problems
) -> tuple[frozenset[str] | None, tuple[Upload, ...]]:
    """Match the list of attachments with the files that came; without a list, all files count."""
    if len(uploads) > 10:
        problems.too_long("attachments", 10)
    given = form.get("attachments")
    if given is None:
        return None, tuple(uploads)
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        problems.wrong_type("attachments", "list")
        return None, ()
    by_index = {upload.index: upload for upload in uploads}
    kept, files = set(), []
    for one in given:
        index = str(one.get("id"))
        upload = by_index.get(index)
        if upload is None:
            kept.add(index)
            continue
        name, description = one.get("filename") or upload.name, one.get("description")
        files.append(Upload(index, str(name), upload.mime, upload.content, description))
    return frozenset(kept), tuple(files)
