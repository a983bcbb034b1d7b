"""Persons, guilds and channels, written as the service writes them."""

import re
from datetime import UTC, datetime

from adapters.discord.emulator.intents import application_flags
from adapters.discord.emulator.world import GRANTED, Channel, ChannelKind, Guild, Person, World

Payload = dict[str, object]


class Places:
    """Writes who and where as JSON objects."""

    def __init__(self, world: World) -> None:
        self._world = world

    def user(self, person: Person) -> Payload:
        """https://discord.com/developers/docs/resources/user#user-object."""
        handle = re.sub(r"[^a-z0-9_.]+", "_", person.name.lower()).strip("_") or "someone"
        names: Payload = {"username": handle, "global_name": person.name, "discriminator": "0"}
        if person.is_bot:
            names = {
                "username": person.name,
                "global_name": None,
                "discriminator": "4821",
                "bot": True,
            }
        return {"id": person.id, **names, "avatar": None, "public_flags": 0}

    def me(self) -> Payload:
        """The bot's own account, which shows it more."""
        own = {"verified": True, "mfa_enabled": False, "locale": "en-US", "email": None}
        return {**self.user(self._world.bot), **own, "flags": 0, "premium_type": 0, "bio": ""}

    def application(self) -> Payload:
        """https://discord.com/developers/docs/resources/application#application-object."""
        application = self._world.application
        owner = Person(str(int(application.id) - 1), "Owner")
        return {
            "id": application.id,
            "name": application.bot.name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "bot": self.user(application.bot),
            "owner": self.user(owner),
            "team": None,
            "verify_key": "0" * 64,
            "flags": application_flags(application.privileged),
            "summary": "",
            "tags": [],
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "integration_types_config": {"0": {}},
            "approximate_guild_count": len(self._world.guilds),
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
        }

    def member(self, person: str, guild: Guild) -> Payload:
        """A member without its user, as messages carry it."""
        return {
            "roles": [guild.bot_role] if person == self._world.bot.id else [],
            "nick": None,
            "avatar": None,
            "banner": None,
            "joined_at": iso(guild.at),
            "premium_since": None,
            "communication_disabled_until": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
        }

    def full_member(self, person: str, guild: Guild) -> Payload:
        """https://discord.com/developers/docs/resources/guild#guild-member-object."""
        return {"user": self.user(self._world.persons[person]), **self.member(person, guild)}

    def role(self, role: str, name: str, position: int, **more: object) -> Payload:
        """https://discord.com/developers/docs/topics/permissions#role-object."""
        return {
            "id": role,
            "name": name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": position,
            "permissions": str(int(GRANTED)),
            "managed": bool(more),
            "mentionable": False,
            "flags": 0,
            **more,
        }

    def guild(self, guild: Guild) -> Payload:
        """https://discord.com/developers/docs/resources/guild#guild-object."""
        bot = self._world.bot
        return {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "owner_id": guild.members[0],
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 1,
            "default_message_notifications": 1,
            "explicit_content_filter": 2,
            "roles": [
                self.role(guild.id, "@everyone", 0),
                self.role(guild.bot_role, bot.name, 1, tags={"bot_id": bot.id}),
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "mfa_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "max_presences": None,
            "max_members": 25_000_000,
            "vanity_url_code": None,
            "description": None,
            "banner": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": "en-US",
            "public_updates_channel_id": None,
            "nsfw_level": 0,
            "premium_progress_bar_enabled": False,
            "safety_alerts_channel_id": None,
        }

    def joined_guild(self, guild: Guild) -> Payload:
        """https://discord.com/developers/docs/events/gateway-events#guild-create."""
        inside = [one for one in self._world.channels.values() if one.guild == guild.id]
        return {
            **self.guild(guild),
            "joined_at": iso(guild.at),
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "voice_states": [],
            # Without presences, members are the bot alone; others come when asked for.
            "members": [self.full_member(self._world.bot.id, guild)],
            "channels": [self.channel(one) for one in inside if one.kind == ChannelKind.TEXT],
            "threads": [self.channel(one) for one in inside if one.kind == ChannelKind.THREAD],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def channel(self, channel: Channel) -> Payload:
        """https://discord.com/developers/docs/resources/channel#channel-object."""
        shown = self._world.shown(channel.id)
        last = shown[-1].id if shown else None
        common: Payload = {"id": channel.id, "type": int(channel.kind), "last_message_id": last}
        if channel.recipient is not None:
            person = self._world.persons[channel.recipient]
            return {**common, "flags": 0, "recipients": [self.user(person)]}
        common |= {
            "guild_id": channel.guild,
            "name": channel.name,
            "parent_id": channel.parent,
            "rate_limit_per_user": 0,
            "flags": 0,
        }
        return common | (self._thread(channel) if channel.parent else self._text(channel))

    def _text(self, channel: Channel) -> Payload:
        deny: Payload = {"type": 1, "id": self._world.bot.id, "allow": "0"}
        overwrites = [{**deny, "deny": str(int(channel.denied))}] if channel.denied else []
        return {"topic": None, "position": 0, "nsfw": False, "permission_overwrites": overwrites}

    def _thread(self, channel: Channel) -> Payload:
        count = len(self._world.shown(channel.id))
        return {
            "owner_id": channel.owner,
            "message_count": count,
            "total_message_sent": count,
            "member_count": 1,
            "thread_metadata": {
                "archived": False,
                "archive_timestamp": iso(channel.at),
                "auto_archive_duration": 1440,
                "locked": False,
                "create_timestamp": iso(channel.at),
            },
        }


def iso(seconds: float) -> str:
    """A time as the service writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
