"""Methods that only look: at chats, their members, and files."""

from adapters.telegram.emulator import wire
from adapters.telegram.emulator.parameters import Parameters
from adapters.telegram.emulator.post import Chat, Json, Person
from adapters.telegram.emulator.refusal import bad, forbidden
from adapters.telegram.emulator.world import World


def get_file(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getfile."""
    stored = world.files.prepare(given.text("file_id"))
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": len(stored.content),
        "file_path": stored.path,
    }


def get_chat(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getchat."""
    chat = present(world, given)
    told: Json = {"accent_color_id": 0, "max_reaction_count": 11}
    return wire.chat(chat) | told | {"accepted_gift_types": no_gifts()}


def get_chat_member(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getchatmember."""
    chat = present(world, given)
    person = world.people.get(given.integer("user_id"))
    if person is None:
        raise bad("user not found")
    return member(world, chat, person)


def get_chat_administrators(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getchatadministrators; the first member owns a group."""
    chat = present(world, given)
    if chat.is_private:
        raise bad("there are no administrators in the private chat")
    return [member(world, chat, person) for person in chat.members[:1]]


def get_chat_member_count(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#getchatmembercount."""
    return len(present(world, given).members) + 1


def leave_chat(world: World, given: Parameters) -> object:
    """https://core.telegram.org/bots/api#leavechat."""
    chat = world.writable(given.text("chat_id"))
    if chat.is_private:
        raise bad("chat member status can't be changed in private chats")
    chat.standing = "kicked"
    return True


def present(world: World, given: Parameters) -> Chat:
    """A chat that the bot can look into; raises Refusal."""
    chat = world.find(given.text("chat_id"))
    if chat.standing == "kicked":
        raise forbidden(f"bot was kicked from the {chat.kind} chat")
    return chat


def member(world: World, chat: Chat, person: Person) -> Json:
    """A person's ChatMember; the first member of a group owns it."""
    if chat.members[:1] == (person,) and not chat.is_private:
        return wire.member(person, "creator")
    is_here = person == world.bot or person in chat.members
    return wire.member(person, "member" if is_here else "left")


def no_gifts() -> Json:
    """AcceptedGiftTypes of whoever wants none."""
    kinds = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription")
    return dict.fromkeys((*kinds, "gifts_from_channels"), False)
