"""Where one reply is written on Telegram: every call is one request, and no parse mode is used."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from telegram import Bot, LinkPreviewOptions, ReplyParameters
from telegram.constants import ChatAction

from adapters.telegram.errors import UNCHANGED, translating
from adapters.telegram.format import MAX_LENGTH, fits, render
from bridge.errors import MessageGone, Refused
from bridge.model import Address, Capabilities, Limit, MessageId

NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
TYPING_LASTS = 5.0  # https://core.telegram.org/bots/api#sendchataction

# https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this
# Edits count like messages. A group bears twenty of both in any minute: five at once, and fifteen
# more in the sixty seconds that follow. All chats together bear thirty in any second.
EVERYWHERE = Limit("", 1 / 25, 5)


@dataclass(slots=True)
class TelegramSurface:
    """One reply in one chat or forum topic."""

    bot: Bot = field(repr=False)  # it would show its token
    chat: int
    thread: int | None
    reply_to: int | None  # what the first post answers; later posts stand below it
    capabilities: Capabilities = field(init=False)

    def __post_init__(self) -> None:
        self.capabilities = capabilities(self.chat)

    @classmethod
    def of(cls, bot: Bot, address: Address, reply_to: MessageId | None) -> Self:
        """The surface at an address; in a private chat it is plain what is answered."""
        chat = int(address.chat)
        thread = int(address.thread) if address.thread else None
        is_quoted = reply_to is not None and not is_private(chat)
        return cls(bot, chat, thread, int(reply_to) if reply_to and is_quoted else None)

    async def post(self, markdown: str, *, nonce: str) -> MessageId:  # noqa: ARG002 - Telegram drops no second one
        """Send a new message."""
        text, entities = render(markdown)
        answered = None
        if self.reply_to is not None:
            answered = ReplyParameters(self.reply_to, allow_sending_without_reply=True)
        with translating():
            sent = await self.bot.send_message(
                self.chat,
                text,
                entities=entities,
                link_preview_options=NO_PREVIEW,
                reply_parameters=answered,
                message_thread_id=self.thread,
            )
        self.reply_to = None
        return MessageId(str(sent.message_id))

    async def edit(self, message: MessageId, markdown: str) -> None:
        """Replace a message's text; an edit that changes nothing succeeds."""
        text, entities = render(markdown)
        try:
            with translating():
                await self.bot.edit_message_text(
                    text,
                    chat_id=self.chat,
                    message_id=int(message),
                    entities=entities,
                    link_preview_options=NO_PREVIEW,
                )
        except Refused as error:
            if UNCHANGED not in str(error).lower():
                raise

    async def delete(self, message: MessageId) -> None:
        """Remove a message; one already gone counts as removed."""
        with suppress(MessageGone), translating():
            await self.bot.delete_message(self.chat, int(message))

    async def typing(self) -> None:
        """Show for some seconds that a reply is being written."""
        with translating():
            await self.bot.send_chat_action(
                self.chat, ChatAction.TYPING, message_thread_id=self.thread
            )


def capabilities(chat: int) -> Capabilities:
    """What a chat can show, and how often."""
    if is_private(chat):
        interval, own = 1.0, Limit(f"chat:{chat}", 1.0, 3)
    else:
        interval, own = 4.0, Limit(f"chat:{chat}", 4.0, 5)
    return Capabilities(
        max_length=MAX_LENGTH,
        fits=fits,
        edit_interval=interval,
        typing_lasts=TYPING_LASTS,
        limits=(own, EVERYWHERE),
    )


def is_private(chat: int) -> bool:
    """People have positive ids, groups negative ones; https://core.telegram.org/api/bots/ids."""
    return chat > 0
