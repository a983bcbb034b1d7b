"""Writing one reply on Discord."""

from dataclasses import dataclass

from adapters.discord.format import MAX_LENGTH, convert, fits
from adapters.discord.rest import Rest
from bridge.errors import MessageGone
from bridge.model import Capabilities, ChatId, Limit, MessageId


@dataclass(slots=True)
class DiscordSurface:
    """A channel, and the message that is answered there."""

    rest: Rest
    channel: ChatId
    reply_to: MessageId | None  # until the first message of the reply refers to it

    @property
    def capabilities(self) -> Capabilities:
        """A channel bears 5 posts and 5 edits in 5 s, a bot 50 calls a second.

        https://docs.discord.com/developers/topics/rate-limits; what is planned stays below, and
        an edit every 1.25 s is what a window of 5 in 5 s bears without ever being full.
        """
        return Capabilities(
            max_length=MAX_LENGTH,
            fits=fits,
            edit_interval=1.25,
            typing_lasts=10.0,
            limits=(Limit(f"chat:{self.channel}", 1.3, 2), Limit("", 1 / 40, 5)),
        )

    async def post(self, markdown: str, *, nonce: str) -> MessageId:
        """Send a new message; the first one is shown as an answer to the person's."""
        content = convert(markdown)
        posted = await self.rest.post(self.channel, content, nonce=nonce, reply_to=self.reply_to)
        self.reply_to = None
        return MessageId(posted)

    async def edit(self, message: MessageId, markdown: str) -> None:
        """Replace a message's text."""
        # Whoever edits goes on with a reply that was begun before, here or by another worker.
        self.reply_to = None
        await self.rest.edit(self.channel, message, convert(markdown))

    async def delete(self, message: MessageId) -> None:
        """Remove a message; one already gone counts as removed."""
        try:
            await self.rest.delete(self.channel, message)
        except MessageGone:
            return

    async def typing(self) -> None:
        """Show for ten seconds that a reply is being written."""
        await self.rest.typing(self.channel)
