"""The chatbot's web interface: POST /webhooks/kakao, /webhooks/slack and /webhooks/telegram, POST /v1/ask,
GET /v1/evidence/{token}, POST /v1/gateways/enrol, and nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from aws_lambda_powertools import Logger
from chalice import Chalice, Response
from chalice.app import ConvertToMiddleware, Request

from uriai import bootstrap
from uriai.adapters.chat import api, gateways, kakao, slack, telegram
from uriai.adapters.chat.gateways import EnrolmentDesk
from uriai.adapters.chat.http import Arrival, Desk, Reply
from uriai.settings import Settings

logger = Logger()

LONGEST_WAIT_S = 30.0
"""API Gateway gives up after 29 s: a request that claims to be older has a clock that is wrong, or is a sample."""


@lru_cache(maxsize=1)
def deployed_desk() -> Desk:
    """What the environment describes, once per container."""
    return bootstrap.desk(Settings.from_environment(require=("CLIPS_BUCKET",)))


@lru_cache(maxsize=1)
def deployed_enrolments() -> EnrolmentDesk:
    """What entering a gateway's key needs, once per container."""
    return bootstrap.enrolment_desk(Settings.from_environment(require=("CLIPS_BUCKET",)))


def create_app(
    desk: Callable[[], Desk],
    enrolments: Callable[[], EnrolmentDesk] = deployed_enrolments,
    renew: Callable[[], None] = deployed_desk.cache_clear,
) -> Chalice:
    """The routes over desks, which are asked for when the first request comes.

    ``renew`` has the next request given another desk: that of an unfinished one is still at work.
    """
    routes = Chalice(app_name="uriai-chatbot", configure_logs=False)
    # only ids of the invocation are added: the event holds tokens and what people typed, and is never logged
    routes.register_middleware(ConvertToMiddleware(logger.inject_lambda_context))

    # every content type comes through, so that who has no token gets 401 and not a word on content types
    @routes.route("/v1/ask", methods=["POST"], content_types=["*/*"])
    def ask() -> Response:
        request = routes.current_request
        return _answer(
            "ask", lambda: api.ask(desk(), request.headers.get("authorization"), _body(request), _arrival(request))
        )

    @routes.route("/webhooks/kakao", methods=["POST"], content_types=["*/*"])
    def kakao_webhook() -> Response:
        request = routes.current_request
        secret = request.headers.get("x-uriai-secret")
        return _answer("kakao", lambda: kakao.webhook(desk(), secret, _body(request), _arrival(request)), renew)

    @routes.route("/webhooks/slack", methods=["POST"], content_types=["*/*"])
    def slack_webhook() -> Response:
        request = routes.current_request
        signature, at = (request.headers.get(f"x-slack-{name}") for name in ("signature", "request-timestamp"))
        return _answer("slack", lambda: slack.webhook(desk(), signature, at, _body(request), _arrival(request)), renew)

    @routes.route("/webhooks/telegram", methods=["POST"], content_types=["*/*"])
    def telegram_webhook() -> Response:
        request = routes.current_request
        secret = request.headers.get("x-telegram-bot-api-secret-token")
        return _answer("telegram", lambda: telegram.webhook(desk(), secret, _body(request), _arrival(request)), renew)

    @routes.route("/v1/evidence/{token}", methods=["GET"])
    def evidence(token: str) -> Response:
        return _answer("evidence", lambda: api.evidence(desk(), token))

    @routes.route("/v1/evidence/{token}/open", methods=["GET"])
    def evidence_page(token: str) -> Response:
        del token  # it says nothing of the link, not even whether there is one
        return _answer("evidence_page", api.evidence_page)

    @routes.route("/v1/evidence/{token}/open", methods=["POST"], content_types=["*/*"])
    def open_evidence(token: str) -> Response:
        return _answer("evidence", lambda: api.evidence(desk(), token, pressed=True))

    @routes.route("/v1/gateways/enrol", methods=["POST"], content_types=["*/*"])
    def enrol_gateway() -> Response:
        request = routes.current_request
        return _answer("enrol", lambda: gateways.enrol(enrolments(), _body(request), _source(request)))

    return routes


def _answer(route: str, work: Callable[[], Reply], renew: Callable[[], None] | None = None) -> Response:
    """Send a reply. What fails is told by its type alone: its message may hold what a person typed, or a token."""
    try:
        reply = work()
    except Exception as error:  # noqa: BLE001 - whatever it is, the platform gets an answer and the log its type
        # no traceback: it quotes the error's message
        logger.error(  # noqa: TRY400
            "request failed", extra={"route": route, "error": type(error).__name__, "at": _place(error)}
        )
        return Response({"message": "Service Unavailable"}, {"Retry-After": "5"}, 503)
    if reply.unfinished and renew is not None:
        renew()
    logger.info("request answered", extra={"route": route, "status": reply.status, **reply.note})
    return Response(reply.page if reply.body is None else dict(reply.body), dict(reply.headers), reply.status)


def _place(error: BaseException) -> str:
    """File and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def _body(request: Request) -> bytes:
    """The raw body; what is no base64 where it is said to be is empty, which no reader takes for a question."""
    try:
        return bytes(request.raw_body)
    except ValueError:
        return b""


def _source(request: Request) -> str:
    """The network address that API Gateway saw."""
    identity = (request.context or {}).get("identity")
    return str(identity.get("sourceIp", "")) if isinstance(identity, dict) else ""


def _arrival(request: Request) -> Arrival:
    """Where the request came in, for links where PUBLIC_BASE_URL is not set, and how long ago: a cold start counts."""
    context = request.context or {}
    host, stage = context.get("domainName"), context.get("stage")
    waited_s = time.time() - float(context.get("requestTimeEpoch") or time.time() * 1000) / 1000
    base = f"https://{host}/{stage}" if host and stage else ""
    return Arrival(base, waited_s if 0 < waited_s < LONGEST_WAIT_S else 0.0)


app = create_app(deployed_desk)
