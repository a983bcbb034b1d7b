"""REST: the commands that an application registers, everywhere or for one guild.

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections.abc import Mapping

from aiohttp import web

from adapters.discord.emulator.body import read_body
from adapters.discord.emulator.door import answer, done
from adapters.discord.emulator.places import Payload
from adapters.discord.emulator.refusals import Problems, refusal
from adapters.discord.emulator.rest import snowflake_in
from adapters.discord.emulator.world import Json, World

SLASH = 1
NAME = re.compile(r"[-_'\w]{1,32}")
MAX_COMMANDS, MAX_OPTIONS = 100, 25


class Commands:
    """Keeps what was registered."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, dict[str, Payload]] = {}  # by guild, "" for everywhere; then by id

    def routes(self) -> list[web.AbstractRouteDef]:
        """The paths below the version."""
        found: list[web.AbstractRouteDef] = []
        for within in ("", "/guilds/{guild_id}"):
            every = f"/applications/{{application_id}}{within}/commands"
            one = f"{every}/{{command_id}}"
            found += [
                web.get(every, self.list_all, allow_head=False),
                web.post(every, self.create),
                web.put(every, self.replace_all),
                web.get(one, self.get, allow_head=False),
                web.patch(one, self.edit),
                web.delete(one, self.delete),
            ]
        return found

    def named(self, name: str, guild: str | None) -> Json:
        """The command of this name that is to be had in a guild; Refusal 10063."""
        for scope in (guild or "", ""):
            for command in self._kept.get(scope, {}).values():
                if command["name"] == name:
                    return command
        raise refusal(10063)

    async def list_all(self, request: web.Request) -> web.Response:
        """Get Application Commands."""
        return answer(list(self._scope(request).values()))

    async def create(self, request: web.Request) -> web.Response:
        """Create Application Command; one of the same name is overwritten."""
        scope, form = self._scope(request), (await read_body(request)).form
        problems = Problems()
        check(form, "", problems)
        problems.settle()
        found = [one for one in scope.values() if same(one, form)]
        command = self._made(request, form, found[0] if found else None)
        scope[str(command["id"])] = command
        return answer(command, 200 if found else 201)

    async def replace_all(self, request: web.Request) -> web.Response:
        """Bulk Overwrite Application Commands; those that stay keep their ids."""
        scope, forms = self._scope(request), (await read_body(request)).content
        problems = Problems()
        if not isinstance(forms, list) or not all(isinstance(one, Mapping) for one in forms):
            problems.wrong_type("", "list")
            raise problems.refusal()
        if len(forms) > MAX_COMMANDS:
            problems.too_long("", MAX_COMMANDS)
        for index, form in enumerate(forms):
            check(form, f"{index}.", problems)
        problems.settle()
        before = list(scope.values())
        scope.clear()
        for form in forms:
            found = [one for one in before if same(one, form)]
            command = self._made(request, form, found[0] if found else None)
            scope[str(command["id"])] = command
        return answer(list(scope.values()))

    async def get(self, request: web.Request) -> web.Response:
        """Get Application Command."""
        return answer(self._one(request))

    async def edit(self, request: web.Request) -> web.Response:
        """Edit Application Command."""
        before, form = self._one(request), (await read_body(request)).form
        problems = Problems()
        check({**before, **form}, "", problems)
        problems.settle()
        command = self._made(request, {**before, **form}, before)
        self._scope(request)[str(command["id"])] = command
        return answer(command)

    async def delete(self, request: web.Request) -> web.Response:
        """Delete Application Command."""
        del self._scope(request)[str(self._one(request)["id"])]
        return done()

    def _scope(self, request: web.Request) -> dict[str, Payload]:
        if snowflake_in(request, "application_id") != self._world.application.id:
            raise refusal(10002)
        guild = snowflake_in(request, "guild_id") if "guild_id" in request.match_info else ""
        if guild and guild not in self._world.guilds:
            raise refusal(50001)
        return self._kept.setdefault(guild, {})

    def _one(self, request: web.Request) -> Payload:
        command = self._scope(request).get(snowflake_in(request, "command_id"))
        if command is None:
            raise refusal(10063)
        return command

    def _made(self, request: web.Request, form: Json, before: Json | None) -> Payload:
        guild = request.match_info.get("guild_id")
        return {
            "default_member_permissions": None,
            "description": "",
            "name_localizations": None,
            "description_localizations": None,
            "options": [],
            "type": SLASH,
            "nsfw": False,
            "dm_permission": True,
            "contexts": None,
            "integration_types": [0],
            **form,
            "id": before["id"] if before else self._world.mint(),
            "application_id": self._world.application.id,
            "version": self._world.mint(),
            **({"guild_id": guild} if guild else {}),
        }


def same(command: Json, form: Json) -> bool:
    """Whether a form is for a command that exists: the name and the kind decide."""
    kind = form.get("type") or SLASH
    return (command["name"], command["type"]) == (form.get("name"), kind)


def check(form: Json, path: str, problems: Problems) -> None:
    """Check the name, the description and the number of options of a command."""
    name, description = form.get("name"), form.get("description")
    is_slash = (form.get("type") or SLASH) == SLASH
    if not isinstance(name, str):
        problems.required(f"{path}name")
    elif not 1 <= len(name) <= 32:
        message = "Must be between 1 and 32 in length."
        problems.add(f"{path}name", "BASE_TYPE_BAD_LENGTH", message)
    elif is_slash and (not NAME.fullmatch(name) or name != name.lower()):
        message = "Command name is invalid"
        problems.add(f"{path}name", "APPLICATION_COMMAND_INVALID_NAME", message)
    if is_slash and not description:
        problems.required(f"{path}description")
    elif is_slash and len(str(description)) > 100:
        message = "Must be between 1 and 100 in length."
        problems.add(f"{path}description", "BASE_TYPE_BAD_LENGTH", message)
    options = form.get("options")
    if isinstance(options, list) and len(options) > MAX_OPTIONS:
        problems.too_long(f"{path}options", MAX_OPTIONS)
