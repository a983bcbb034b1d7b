"""The routes of files, of the account and its bots, and of its tokens.

https://www.coze.com/docs/developer_guides/upload_files
"""

from aiohttp import web

from bridge.coze.emulator.answers import RAW, Answers, json_body, required
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.multipart import attached_file
from bridge.coze.emulator.sniff import TAKEN, extension
from bridge.coze.emulator.state import Account, Upload
from bridge.coze.emulator.tokens import Denied, Tokens
from bridge.coze.emulator.wire import Json, upload_object
from bridge.errors import BackendRejected

OAUTH = "/api/permission/oauth2"


class AccountRoutes:
    """Files, who is calling, which bots there are, and new tokens."""

    def __init__(
        self, account: Account, flavour: Flavour, answers: Answers, tokens: Tokens
    ) -> None:
        self._account = account
        self._flavour = flavour
        self._answers = answers
        self._tokens = tokens

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        everywhere = [
            web.post("/v1/files/upload", self.upload),
            web.get("/v1/bots/{id}", self.bot),
            web.get("/v1/bot/get_online_info", self.online_bot),
        ]
        if not self._flavour.has_all_routes:
            return everywhere
        return [
            *everywhere,
            web.get("/v1/files/retrieve", self.file),
            web.get("/v1/users/me", self.user),
            web.post(f"{OAUTH}/token", self.exchange),
            web.post(OAUTH + "/account/{account}/token", self.exchange),
        ]

    async def upload(self, request: web.Request) -> web.Response:
        """Take a file."""
        attached = attached_file(request.headers.get("Content-Type", ""), request[RAW])
        if not attached.content:
            raise BackendRejected(4300, "the file is empty")
        if extension(attached.name) not in TAKEN:
            raise BackendRejected(4303, "files of this type are not supported")
        id_, now = self._account.new_id(), self._account.now()
        upload = Upload(id_, attached.name, attached.content, now)
        self._account.uploads[id_] = upload
        return self._answers.ok(request, upload_object(upload))

    async def file(self, request: web.Request) -> web.Response:
        """Tell what is known of an uploaded file."""
        upload = self._account.uploads.get(required(request, "file_id"))
        if upload is None:
            raise BackendRejected(4304, "invalid file")
        return self._answers.ok(request, upload_object(upload))

    async def user(self, request: web.Request) -> web.Response:
        """Tell whose token this is."""
        owner = {"user_id": self._account.owner, "user_name": "emulated", "nick_name": "Emulated"}
        return self._answers.ok(request, {**owner, "avatar_url": ""})

    async def bot(self, request: web.Request) -> web.Response:
        """Describe a bot."""
        return self._describe(request, request.match_info["id"])

    async def online_bot(self, request: web.Request) -> web.Response:
        """Describe a bot as it is published."""
        return self._describe(request, required(request, "bot_id"))

    async def exchange(self, request: web.Request) -> web.Response:
        """Give a token for a JWT."""
        authorization = request.headers.get("Authorization", "")
        result = self._tokens.exchange(authorization, json_body(request), request.host)
        if isinstance(result, Denied):
            problem: Json = {"error_code": result.code, "error_message": result.reason}
            return web.json_response(problem, status=400)
        token = {"access_token": result.token, "expires_in": result.expires_at}
        return web.json_response({**token, "token_type": "Bearer"})

    def _describe(self, request: web.Request, bot_id: str) -> web.Response:
        self._account.check_bot(bot_id)
        described = {"bot_id": bot_id, "name": "Emulated", "description": "", "icon_url": ""}
        return self._answers.ok(request, {**described, "version": "1", "bot_mode": 0})
