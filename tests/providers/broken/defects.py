"""What the provider can be made to do wrong. Importing this changes nothing; `arrange` does.

Most defects stand between the provider and the wire: they change requests, answers, events or failures in passing.
"""

import functools
import inspect
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status
from mediaconduit.v1.events_pb2 import TransformEvent, TransformResponse
from mediaconduit.v1.media_pb2 import Role

HELD_SECONDS = 6.0
"""How long a place is said to be held after a deadline: longer than is waited for it."""


@dataclass
class Defect:
    """Which check must find it, and how it comes about; nothing = in the provider's own code."""

    check: str
    arrange: Callable[[], None] | None = None
    request: Callable[[str, Any], None] = field(default=lambda method, request: None)
    answer: Callable[[str, Any, Any], None] = field(default=lambda method, request, answer: None)
    event: Callable[[str, Any], None] = field(default=lambda method, message: None)
    failure: Callable[[str, Status], None] = field(default=lambda method, status: None)
    deadline: Callable[[float], None] = field(default=lambda seconds: None)


DEFECTS: dict[str, Defect] = {
    "setup_fails": Defect("start"),
    "text_for_video": Defect("transform"),
    "upload_fails": Defect("upload"),
    "calls_collide": Defect("parallel"),
    "ignores_cancel": Defect("cancel"),
    "logs_a_secret": Defect("secrets"),
}


def defect(check: str, place: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Makes a function a defect, called at that place."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        DEFECTS[function.__name__] = Defect(check, **{place: function})
        return function

    return register


# -- answers ----------------------------------------------------------------------------------------------------------


@defect("identity", "answer")
def another_nonce(method: str, request: Any, answer: Any) -> None:
    if method == "Describe":
        answer.instance_id = "somebody-else"


@defect("identity", "answer")
def another_version(method: str, request: Any, answer: Any) -> None:
    if method == "Describe":
        answer.version = "0.0.0"


@defect("health", "answer")
def not_alive(method: str, request: Any, answer: Any) -> None:
    if method == "Check" and not request.service:
        answer.status = health_pb2.HealthCheckResponse.NOT_SERVING


@defect("reflection", "event")
def hides_health(method: str, message: Any) -> None:
    if method == "ServerReflectionInfo":
        listed = message.list_services_response.service
        kept = [service for service in listed if service.name != "grpc.health.v1.Health"]
        if len(kept) != len(listed):
            del listed[:]
            listed.extend(kept)


@defect("describe", "answer")
def schema_is_no_json(method: str, request: Any, answer: Any) -> None:
    if method == "Describe":
        answer.settings_schema = "{'type': 'object'}"


@defect("capabilities", "answer")
def promises_more(method: str, request: Any, answer: Any) -> None:
    if method == "Describe":
        answer.capabilities.append("text-to-image")


@defect("manifest", "answer")
def lacks_what_it_promises(method: str, request: Any, answer: Any) -> None:
    if method == "ListModels":
        kept = [model for model in answer.models if not model.name.endswith("/film")]
        del answer.models[:]
        answer.models.extend(kept)
    if method == "Describe":
        answer.capabilities.remove("text-to-video")


@defect("models", "answer")
def loses_pages(method: str, request: Any, answer: Any) -> None:
    if method == "ListModels" and request.page_size:
        answer.next_page_token = ""


@defect("models", "request")
def lists_everything(method: str, request: Any) -> None:
    if method == "ListModels":
        request.capability = ""


@defect("model", "answer")
def option_schema_is_cut_short(method: str, request: Any, answer: Any) -> None:
    if method == "GetModel":
        answer.model.options_schema = answer.model.options_schema[:-1]


@defect("concurrency", "answer")
def says_a_lower_limit(method: str, request: Any, answer: Any) -> None:
    if method == "Describe":
        answer.max_concurrency = 3


# -- requests ---------------------------------------------------------------------------------------------------------


@defect("configure", "request")
def ignores_unknown_settings(method: str, request: Any) -> None:
    if method == "Configure":
        for name in set(request.settings) - {"api_key", "greeting"}:
            del request.settings.fields[name]


@defect("options", "request")
def ignores_options(method: str, request: Any) -> None:
    if method == "Transform" and not request.options.lenient:
        request.ClearField("options")


@defect("options", "failure")
def names_no_field(method: str, status: Status) -> None:
    if "options." in status.message:
        keep(status, lambda packed: not packed.Is(error_details_pb2.BadRequest.DESCRIPTOR))


@defect("unknown-model", "request")
def answers_for_any_model(method: str, request: Any) -> None:
    known = ("/echo", "/chatter", "/film")
    if method == "Transform" and not request.model.endswith(known):
        request.model = "providers/broken/models/echo"


@defect("empty-input", "request")
def makes_something_of_nothing(method: str, request: Any) -> None:
    if method == "Transform" and not any(part.ByteSize() > 2 for turn in request.turns for part in turn.parts):
        del request.turns[:]
        request.turns.add(role=Role.ROLE_USER).parts.add(text="hello")


# -- events -----------------------------------------------------------------------------------------------------------


@defect("lenient", "event")
def says_nothing_of_it(method: str, message: Any) -> None:
    for event in events_of(message):
        if event.WhichOneof("event") == "notice":
            event.notice.code, event.notice.message = "BY_THE_WAY", "something was dropped"


@defect("events", "event")
def counts_wrong(method: str, message: Any) -> None:
    for event in events_of(message):
        event.sequence += event.sequence > 2


@defect("events", "event")
def another_hash(method: str, message: Any) -> None:
    for event in events_of(message):
        if event.output_completed.sha256:
            event.output_completed.sha256 = "0" * 64


@defect("events", "event")
def ends_twice(method: str, message: Any) -> None:
    events = events_of(message)
    if events and events[-1].WhichOneof("event") == "completed":
        again = TransformEvent()
        again.CopyFrom(events[-1])
        again.sequence += 1
        events.append(again)


# -- failures ---------------------------------------------------------------------------------------------------------


@defect("concurrency", "failure")
def does_not_say_when_to_retry(method: str, status: Status) -> None:
    if status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]:
        keep(status, lambda packed: not packed.Is(error_details_pb2.RetryInfo.DESCRIPTOR))


@defect("unknown-model", "failure")
def another_code(method: str, status: Status) -> None:
    if status.code == grpc.StatusCode.NOT_FOUND.value[0]:
        status.code = grpc.StatusCode.UNKNOWN.value[0]


@defect("errors", "failure")
def tells_a_path(method: str, status: Status) -> None:
    if status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]:
        status.message += " in /home/me/models.json"


@defect("errors", "failure")
def tells_too_much(method: str, status: Status) -> None:
    if status.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]:
        packed = Packed()
        packed.Pack(error_details_pb2.DebugInfo(detail="x" * 5000))
        status.details.append(packed)


@defect("large-input", "failure")
def blames_the_vendor_for_too_much(method: str, status: Status) -> None:
    if method == "TransformLive":
        replace_reason(status, "INPUT_TOO_LARGE", "CONTENT_REFUSED")


@defect("drain", "failure")
def does_not_say_it_drains(method: str, status: Status) -> None:
    replace_reason(status, "PROVIDER_DRAINING", "PROVIDER_NOT_READY")


# -- time and the end -------------------------------------------------------------------------------------------------

_held_until = 0.0


def _remember(seconds: float) -> None:
    global _held_until
    if seconds < 5:
        _held_until = time.monotonic() + seconds + HELD_SECONDS


def _still_held(method: str, request: Any, answer: Any) -> None:
    if method == "Describe" and time.monotonic() < _held_until:
        answer.active_calls = max(answer.active_calls, 1)


DEFECTS["works_on_after_the_deadline"] = Defect("deadline", deadline=_remember, answer=_still_held)


@defect("drain", "arrange")
def ends_with_another_code() -> None:
    really = os._exit
    os._exit = lambda code: really(code or 3)  # type: ignore[assignment,misc]


@defect("bootstrap", "arrange")
def ends_with_any_code_when_told_nonsense() -> None:
    from mediaconduit_provider import bootstrap

    bootstrap.EXIT_USAGE = 1  # type: ignore[misc]


@defect("bootstrap", "arrange")
def takes_any_stdin_for_a_lifeline() -> None:
    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(0)

    if not os.environ.get("MEDIACONDUIT_LIFELINE"):
        threading.Thread(target=watch, daemon=True).start()


@defect("lifeline", "arrange")
def ignores_its_lifeline() -> None:
    """Its stdin is another one that never ends."""
    reading, _ = os.pipe()
    os.dup2(reading, 0)


@defect("lifeline", "arrange")
def a_child_outlives_it() -> None:
    from mediaconduit_provider import bootstrap

    bootstrap.kill_children = lambda: None


# -- between the provider and the wire --------------------------------------------------------------------------------


def arrange(name: str) -> None:
    """Brings a defect about; none for an empty name."""
    chosen = DEFECTS[name] if name else Defect("")
    if chosen.arrange is not None:
        chosen.arrange()
    make = grpc.aio.server
    interceptors = [Meddler(chosen)]
    grpc.aio.server = functools.partial(make, interceptors=interceptors)


class Meddler(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Lets a defect at everything that passes."""

    def __init__(self, chosen: Defect) -> None:
        self._chosen = chosen

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        handler = await continuation(details)
        if handler is None:
            return None
        method = details.method.rpartition("/")[2]
        wrap = self._streaming if handler.response_streaming else self._unary
        kind = f"{'stream' if handler.request_streaming else 'unary'}_" + (
            "stream" if handler.response_streaming else "unary"
        )
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            wrap(method, getattr(handler, kind)), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, method: str, behaviour: Any) -> Any:
        async def meddled(request: Any, context: Any) -> Any:
            self._chosen.request(method, request)
            answer = await behaviour(request, Meddled(context, method, self._chosen))
            self._chosen.answer(method, request, answer)
            return answer

        return meddled

    def _streaming(self, method: str, behaviour: Any) -> Any:
        async def meddled(request: Any, context: Any) -> None:
            self._chosen.request(method, request)
            if (seconds := context.time_remaining()) is not None:
                self._chosen.deadline(seconds)
            meddling = Meddled(context, method, self._chosen)
            if inspect.isasyncgenfunction(behaviour):
                async for message in behaviour(request, meddling):
                    await meddling.write(message)
            else:
                await behaviour(request, meddling)

        return meddled


class Meddled:
    """A call's context whose writes and failures pass a defect."""

    def __init__(self, context: Any, method: str, chosen: Defect) -> None:
        self._context, self._method, self._chosen = context, method, chosen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def write(self, message: Any) -> None:
        self._chosen.event(self._method, message)
        await self._context.write(message)

    async def abort_with_status(self, status: Any) -> None:
        packed = next(value for key, value in status.trailing_metadata if key == "grpc-status-details-bin")
        details = Status.FromString(packed)
        self._chosen.failure(self._method, details)
        await self._context.abort_with_status(rpc_status.to_status(details))


def events_of(message: Any) -> Any:
    """The events of a message; none of another kind's."""
    return message.events if isinstance(message, TransformResponse) else []


def replace_reason(status: Status, reason: str, by: str) -> None:
    for packed in status.details:
        info = error_details_pb2.ErrorInfo()
        if packed.Unpack(info) and info.reason == reason:
            info.reason = by
            packed.Pack(info)


def keep(status: Status, wanted: Callable[[Packed], bool]) -> None:
    kept = [packed for packed in status.details if wanted(packed)]
    del status.details[:]
    status.details.extend(kept)
