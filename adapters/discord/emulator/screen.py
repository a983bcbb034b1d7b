"""What the sandbox's person sees: one channel, with the threads in it."""

import base64
import html

from adapters.discord.emulator.acts import Acts
from adapters.discord.emulator.form import Draft, Upload
from adapters.discord.emulator.founding import Founding
from adapters.discord.emulator.html import to_html
from adapters.discord.emulator.images import mime_of
from adapters.discord.emulator.world import Channel, Message, Person, World
from bridge.model import MessageId
from bridge.ports import Shown


class Screen:
    """The guild, the channel and the person of the sandbox, founded when first looked at."""

    def __init__(self, world: World, founding: Founding, acts: Acts) -> None:
        self._world = world
        self._founding = founding
        self._acts = acts
        self._place: tuple[Person, Channel] | None = None

    @property
    def is_typing(self) -> bool:
        """Whether the channel shows that the bot is writing."""
        return any(self._acts.is_typing(channel) for channel in self._channels())

    def say(self, text: str, image: bytes | None) -> MessageId:
        """Write as the person, to the bot: in a channel one calls it by its name."""
        person, channel = self._found()
        name = f"<@{self._world.bot.id}>"
        content = text if name in text else f"{name} {text}"
        files: tuple[Upload, ...] = ()
        if image is not None:
            mime = mime_of(image)
            files = (Upload("0", f"image.{mime.removeprefix('image/')}", mime, image),)
        draft = Draft(content=content.strip(), files=files)
        return MessageId(self._acts.post(channel, person, draft).id)

    def transcript(self) -> tuple[Shown, ...]:
        """Everything said, oldest first."""
        names = self._names()
        said = [one for channel in self._channels() for one in self._world.shown(channel)]
        return tuple(shown(one, names) for one in sorted(said, key=lambda one: int(one.id)))

    def _found(self) -> tuple[Person, Channel]:
        if self._place is None:
            person = self._founding.person("You", None)
            guild = self._founding.guild("Sandbox", (person,))
            self._place = person, self._founding.channel(guild, "general")
        return self._place

    def _channels(self) -> list[str]:
        _, channel = self._found()
        threads = [one.id for one in self._world.channels.values() if one.parent == channel.id]
        return [channel.id, *threads]

    def _names(self) -> dict[str, str]:
        roles = {one.bot_role: self._world.bot.name for one in self._world.guilds.values()}
        persons = {one.id: one.name for one in self._world.persons.values()}
        return {**roles, **persons, **{one.id: one.name for one in self._world.channels.values()}}


def shown(message: Message, names: dict[str, str]) -> Shown:
    """A message as it is seen; a file that is no image shows its name."""
    images = [one for one in message.attachments if one.mime.startswith("image/")]
    files = [one.name for one in message.attachments if one not in images]
    return Shown(
        id=MessageId(message.id),
        is_bot=message.is_bot,
        html=to_html(message.content, names) + "".join(map(file_line, files)),
        text=message.content,
        edits=message.edits,
        images=tuple(
            f"data:{one.mime};base64,{base64.b64encode(one.content).decode()}" for one in images
        ),
    )


def file_line(name: str) -> str:
    """A file, by its name."""
    return f'<p class="file">{html.escape(name)}</p>'
