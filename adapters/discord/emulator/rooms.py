"""REST: the bot itself, persons, channels, threads, guilds and file links."""

from aiohttp import web

from adapters.discord.emulator.body import read_body
from adapters.discord.emulator.cdn import Cdn
from adapters.discord.emulator.door import answer
from adapters.discord.emulator.form import is_snowflake
from adapters.discord.emulator.founding import Founding
from adapters.discord.emulator.places import Places
from adapters.discord.emulator.refusals import Problems, invalid, refusal
from adapters.discord.emulator.rest import Rest, snowflake_in
from adapters.discord.emulator.sessions import Sessions
from adapters.discord.emulator.world import (
    Channel,
    ChannelKind,
    Guild,
    Message,
    Permission,
    World,
)


class Rooms:
    """Answers requests about where one is."""

    def __init__(
        self,
        world: World,
        places: Places,
        founding: Founding,
        rest: Rest,
        sessions: Sessions,
        cdn: Cdn,
    ) -> None:
        self._world = world
        self._places = places
        self._founding = founding
        self._rest = rest
        self._sessions = sessions
        self._cdn = cdn

    def routes(self) -> list[web.AbstractRouteDef]:
        """The paths below the version."""
        gets = {
            "/gateway": self.gateway,
            "/gateway/bot": self.gateway_bot,
            "/users/@me": self.me,
            "/users/{user_id}": self.user,
            "/applications/@me": self.application,
            "/oauth2/applications/@me": self.application,
            "/channels/{channel_id}": self.channel,
            "/guilds/{guild_id}": self.guild,
            "/guilds/{guild_id}/channels": self.guild_channels,
            "/guilds/{guild_id}/members/{user_id}": self.member,
        }
        return [
            *(web.get(path, answering, allow_head=False) for path, answering in gets.items()),
            web.post("/users/@me/channels", self.open_direct),
            web.post("/channels/{channel_id}/threads", self.open_thread),
            web.post("/channels/{channel_id}/messages/{message_id}/threads", self.open_thread),
            web.post("/attachments/refresh-urls", self.refresh),
        ]

    async def gateway(self, _request: web.Request) -> web.Response:
        """Get Gateway."""
        return answer({"url": self._sessions.url})

    async def gateway_bot(self, _request: web.Request) -> web.Response:
        """Get Gateway Bot."""
        limit = self._sessions.start_limit()
        return answer({"url": self._sessions.url, "shards": 1, "session_start_limit": limit})

    async def me(self, _request: web.Request) -> web.Response:
        """Get Current User."""
        return answer(self._places.me())

    async def user(self, request: web.Request) -> web.Response:
        """Get User."""
        person = self._world.persons.get(snowflake_in(request, "user_id"))
        if person is None:
            raise refusal(10013)
        return answer(self._places.user(person))

    async def application(self, _request: web.Request) -> web.Response:
        """Get Current Application."""
        return answer(self._places.application())

    async def channel(self, request: web.Request) -> web.Response:
        """Get Channel."""
        return answer(self._places.channel(self._rest.channel(request)))

    async def guild(self, request: web.Request) -> web.Response:
        """Get Guild."""
        return answer(self._places.guild(self._guild(request)))

    async def guild_channels(self, request: web.Request) -> web.Response:
        """Get Guild Channels, without threads."""
        guild = self._guild(request)
        inside = [one for one in self._world.channels.values() if one.guild == guild.id]
        found = [one for one in inside if one.kind == ChannelKind.TEXT]
        return answer([self._places.channel(one) for one in found])

    async def member(self, request: web.Request) -> web.Response:
        """Get Guild Member."""
        guild, person = self._guild(request), snowflake_in(request, "user_id")
        if person not in guild.members:
            raise refusal(10007)
        return answer(self._places.full_member(person, guild))

    async def open_direct(self, request: web.Request) -> web.Response:
        """Create DM."""
        recipient = (await read_body(request)).form.get("recipient_id")
        if not is_snowflake(recipient):
            problems = Problems()
            problems.not_snowflake("recipient_id", recipient)
            raise problems.refusal()
        person = self._world.persons.get(str(recipient))
        if person is None:
            raise invalid("recipient_id", "INVALID_RECIPIENT", "Invalid Recipient(s)")
        if person.is_bot:
            raise refusal(50007)
        return answer(self._places.channel(self._founding.direct(person)))

    async def open_thread(self, request: web.Request) -> web.Response:
        """Start Thread, from a message or without."""
        parent = self._rest.channel(request)
        message = self._threadless(request, parent)
        name = (await read_body(request)).form.get("name")
        if not isinstance(name, str) or not 1 <= len(name) <= 100:
            raise invalid("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
        if not self._world.allows(parent, Permission.CREATE_PUBLIC_THREADS):
            raise refusal(50013)
        thread = self._founding.thread(parent, name, self._world.bot, message)
        return answer(self._places.channel(thread), 201)

    async def refresh(self, request: web.Request) -> web.Response:
        """Sign links to files anew."""
        urls = (await read_body(request)).form.get("attachment_urls")
        if not isinstance(urls, list) or not 1 <= len(urls) <= 50:
            message = "Must be between 1 and 50 in length."
            raise invalid("attachment_urls", "BASE_TYPE_BAD_LENGTH", message)
        refreshed = []
        for index, url in enumerate(urls):
            signed = self._cdn.refresh(str(url))
            if signed is None:
                path = f"attachment_urls.{index}"
                raise invalid(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
            refreshed.append({"original": url, "refreshed": signed})
        return answer({"refreshed_urls": refreshed})

    def _guild(self, request: web.Request) -> Guild:
        guild = self._world.guilds.get(snowflake_in(request, "guild_id"))
        if guild is None:
            raise refusal(10004)
        return guild

    def _threadless(self, request: web.Request, parent: Channel) -> Message | None:
        if parent.kind != ChannelKind.TEXT:
            raise refusal(50024)
        if "message_id" not in request.match_info:
            return None
        message = self._rest.message(request, parent)
        if message.thread is not None:
            raise refusal(160004)
        return message
