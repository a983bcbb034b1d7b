"""REST: the bot's answers to interactions.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""

from collections.abc import Mapping
from dataclasses import replace

from aiohttp import web

from adapters.discord.emulator.acts import LOADING, Acts
from adapters.discord.emulator.body import read_body
from adapters.discord.emulator.door import answer, done
from adapters.discord.emulator.form import Draft, Upload, read_draft
from adapters.discord.emulator.invocations import Interaction, Invocations
from adapters.discord.emulator.payloads import Payloads
from adapters.discord.emulator.places import Payload, Places
from adapters.discord.emulator.refusals import invalid, refusal
from adapters.discord.emulator.rest import snowflake_in
from adapters.discord.emulator.world import EPHEMERAL, Message, World

FIRST_ANSWER = 3.0  # seconds to answer at all
LIFE = 900.0  # seconds that the token is good for
POST, DEFER, UPDATE = 4, 5, 7
CALLBACKS = (1, POST, DEFER, 6, UPDATE, 8, 9)


class Interactions:
    """Takes the answers to interactions."""

    def __init__(
        self,
        world: World,
        places: Places,
        payloads: Payloads,
        acts: Acts,
        invocations: Invocations,
    ) -> None:
        self._world = world
        self._places = places
        self._payloads = payloads
        self._acts = acts
        self._known = invocations.known

    def routes(self) -> list[web.AbstractRouteDef]:
        """The paths below the version."""
        one = "/webhooks/{application_id}/{token}/messages/{message_id}"
        return [
            web.post("/interactions/{interaction_id}/{token}/callback", self.respond),
            web.post("/webhooks/{application_id}/{token}", self.follow_up),
            web.get(one, self.get, allow_head=False),
            web.patch(one, self.edit),
            web.delete(one, self.delete),
        ]

    async def respond(self, request: web.Request) -> web.Response:
        """Create Interaction Response."""
        interaction = self._fresh(request)
        body = await read_body(request)
        kind, form = body.form.get("type"), body.form.get("data") or {}
        if not (isinstance(kind, int) and kind in CALLBACKS and isinstance(form, Mapping)):
            choices = ", ".join(str(one) for one in CALLBACKS)
            raise invalid("type", "BASE_TYPE_CHOICES", f"Value must be one of ({choices}).")
        message = self._responded(interaction, kind, form, body.uploads)
        if request.query.get("with_response") not in {"1", "true", "True"}:
            return done()
        return answer(self._callback(interaction, kind, message))

    async def follow_up(self, request: web.Request) -> web.Response:
        """Create Followup Message; the first after a deferral takes its place."""
        interaction = self._answered(request)
        body = await read_body(request)
        draft = read_draft(body.form, body.uploads)
        waiting = self._world.find(interaction.channel.id, interaction.response or "")
        if waiting is not None and waiting.flags & LOADING:
            return answer(self._payloads.message(self._acts.edit(waiting, draft)))
        if draft.is_empty:
            raise refusal(50006)
        return answer(self._payloads.message(self._post(interaction, draft)))

    async def get(self, request: web.Request) -> web.Response:
        """Get Original Interaction Response, or a follow-up."""
        return answer(self._payloads.message(self._message(request)))

    async def edit(self, request: web.Request) -> web.Response:
        """Edit Original Interaction Response, or a follow-up."""
        message = self._message(request)
        body = await read_body(request)
        draft = read_draft(body.form, body.uploads)
        return answer(self._payloads.message(self._acts.edit(message, draft)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete Original Interaction Response, or a follow-up."""
        self._acts.remove(self._message(request))
        return done()

    def _responded(
        self,
        interaction: Interaction,
        kind: int,
        form: Mapping[str, object],
        uploads: tuple[Upload, ...],
    ) -> Message | None:
        draft = read_draft(form, uploads)
        message = self._world.find(interaction.channel.id, interaction.source or "")
        if kind == POST:
            if draft.is_empty:
                raise refusal(50006)
            message = self._post(interaction, draft)
        elif kind == DEFER:
            waiting = Draft(is_ephemeral=draft.is_ephemeral)
            message = self._post(interaction, waiting, LOADING)
        elif kind == UPDATE and message is not None:
            message = self._acts.edit(message, draft)
        self._known[interaction.token] = replace(
            interaction,
            is_answered=True,
            response=message.id if message else None,
        )
        return message

    def _post(self, interaction: Interaction, draft: Draft, flags: int = 0) -> Message:
        metadata: Payload = {
            "id": interaction.id,
            "type": interaction.kind,
            "user": self._places.user(interaction.person),
            "authorizing_integration_owners": {"0": interaction.channel.guild or "0"},
        }
        seen = EPHEMERAL if draft.is_ephemeral else 0
        return self._acts.post(
            interaction.channel, self._world.bot, draft, flags=flags | seen, interaction=metadata
        )

    def _callback(self, interaction: Interaction, kind: int, message: Message | None) -> Payload:
        told: Payload = {"id": interaction.id, "type": interaction.kind}
        if message is None:
            return {"interaction": told, "resource": {"type": kind}}
        told |= {
            "response_message_id": message.id,
            "response_message_loading": bool(message.flags & LOADING),
            "response_message_ephemeral": message.is_ephemeral,
        }
        resource = {"type": kind, "message": self._payloads.message(message)}
        return {"interaction": told, "resource": resource}

    def _fresh(self, request: web.Request) -> Interaction:
        interaction = self._known.get(request.match_info["token"])
        if interaction is None or interaction.id != snowflake_in(request, "interaction_id"):
            raise refusal(10062)
        if interaction.is_answered:
            raise refusal(40060)
        if self._age(interaction) > FIRST_ANSWER:
            raise refusal(10062)
        return interaction

    def _answered(self, request: web.Request) -> Interaction:
        application = snowflake_in(request, "application_id")
        interaction = self._known.get(request.match_info["token"])
        if interaction is None or application != self._world.application.id:
            raise refusal(10015)
        if self._age(interaction) > LIFE:
            raise refusal(50027)
        if not interaction.is_answered:
            raise refusal(10015)
        return interaction

    def _message(self, request: web.Request) -> Message:
        interaction = self._answered(request)
        wanted = request.match_info["message_id"]
        found = interaction.response if wanted == "@original" else wanted
        message = self._world.find(interaction.channel.id, found or "")
        if message is None:
            raise refusal(10008)
        is_its_own = message.interaction is not None and message.interaction["id"] == interaction.id
        if not is_its_own and message.id != interaction.response:
            raise refusal(10008)
        return message

    def _age(self, interaction: Interaction) -> float:
        return self._world.clock.monotonic() - interaction.at
