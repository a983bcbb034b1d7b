"""Methods about the bot itself: who it is, its commands and words, its webhook."""

from adapters.telegram.emulator import webhook, wire
from adapters.telegram.emulator.parameters import Parameters
from adapters.telegram.emulator.post import Json
from adapters.telegram.emulator.refusal import Refusal, bad
from adapters.telegram.emulator.world import World

MOST_COMMANDS = 100
COMMAND = 32
DESCRIPTION = 256


def get_me(world: World, _given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getme."""
    return wire.user(world.bot) | {
        "can_join_groups": True,
        "can_read_all_group_messages": not world.has_privacy,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def log_out(_world: World, _given: Parameters) -> object:
    """https://core.telegram.org/bots/api#logout; there is nowhere to go, nothing happens."""
    return True


def set_my_commands(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#setmycommands."""
    commands = given.nested("commands")
    if not isinstance(commands, list):
        raise bad("expected an Array of BotCommand")
    if len(commands) > MOST_COMMANDS:
        raise bad("BOT_COMMANDS_TOO_MUCH")
    world.profile.commands[scope(given)] = [command(each) for each in commands]
    return True


def get_my_commands(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getmycommands."""
    return world.profile.commands.get(scope(given), [])


def delete_my_commands(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#deletemycommands."""
    world.profile.commands.pop(scope(given), None)
    return True


def set_words(world: World, given: Parameters, name: str, most: int) -> object:
    """Set the bot's name or one of its descriptions."""
    if len(given.text(name)) > most:
        raise bad(f"bot {name.replace('_', ' ')} is too long")
    world.profile.words[name, given.text("language_code")] = given.text(name)
    return True


def get_words(world: World, given: Parameters, name: str) -> object:
    """Tell the bot's name or one of its descriptions."""
    default = world.bot.first_name if name == "name" else ""
    fallback = world.profile.words.get((name, ""), default)
    return {name: world.profile.words.get((name, given.text("language_code"))) or fallback}


def set_webhook(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#setwebhook."""
    url = given.text("url")
    if not url:
        return delete_webhook(world, given)
    webhook.check_url(url)
    webhook.check_secret(given.text("secret_token"))
    remember_allowed(world, given)
    drop_pending(world, given)
    connections = min(max(given.integer("max_connections", 40), 1), 100)
    world.updates.interrupt("terminated by setWebhook request")
    world.courier.use(webhook.Webhook(url, given.text("secret_token"), connections))
    return True


def delete_webhook(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#deletewebhook."""
    drop_pending(world, given)
    world.courier.use(None)
    return True


def get_webhook_info(world: World, _given: Parameters) -> Json:
    """https://core.telegram.org/bots/api#getwebhookinfo."""
    courier = world.courier
    told: Json = {
        "url": courier.webhook.url if courier.webhook else "",
        "has_custom_certificate": False,
        "pending_update_count": len(world.updates),
    }
    if courier.webhook:
        told["max_connections"] = courier.webhook.max_connections
    if courier.failed:
        told["last_error_date"], told["last_error_message"] = courier.failed
    if world.updates.allowed is not None:
        told["allowed_updates"] = sorted(world.updates.allowed)
    return told


async def get_updates(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getupdates."""
    if world.courier.webhook:
        raise Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; "
            "use deleteWebhook to delete the webhook first",
        )
    remember_allowed(world, given)
    limit = min(max(given.integer("limit", 100), 1), 100)
    timeout = min(max(given.integer("timeout"), 0), 50)
    return await world.updates.poll(given.integer("offset"), limit, timeout)


def remember_allowed(world: World, given: Parameters) -> None:
    """Remember which updates are wanted, until another request says otherwise."""
    kinds = given.nested("allowed_updates")
    if isinstance(kinds, list):
        world.updates.allowed = frozenset(map(str, kinds)) or None


def drop_pending(world: World, given: Parameters) -> None:
    """Forget what waits, if the request says so."""
    if given.flag("drop_pending_updates"):
        world.updates.clear()


def scope(given: Parameters) -> tuple[str, str]:
    """For whom commands are."""
    return given.text("scope") or '{"type": "default"}', given.text("language_code")


def command(given: object) -> object:
    """Check one BotCommand; raises Refusal."""
    if not isinstance(given, dict):
        raise bad("can't parse BotCommand: expected an Object")
    name = str(given.get("command", "")).removeprefix("/")
    description = str(given.get("description", ""))
    is_word = name.isascii() and name.replace("_", "a").isalnum() and name == name.lower()
    if not is_word or len(name) > COMMAND:
        raise bad("BOT_COMMAND_INVALID")
    if not 1 <= len(description) <= DESCRIPTION:
        raise bad("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": name, "description": description}
