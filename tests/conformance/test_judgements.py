"""The suite's own judgement of events, failures, options and inputs, without a provider."""

import contextlib
import hashlib
import io
import struct
import wave
import zlib
from collections.abc import Callable

import pytest
from mediaconduit.errors import MediaConduitError, NotFoundError, Reason
from mediaconduit.status import to_status
from mediaconduit.v1.events_pb2 import OutputKind, TransformEvent
from mediaconduit.v1.media_pb2 import Part
from mediaconduit.v1.models_pb2 import InputSpec, Model
from mediaconduit.v1.options_pb2 import TransformOptions
from mediaconduit_broker.conformance import events, options, samples
from mediaconduit_broker.conformance.cases import INVALID, NOT_FOUND, Case
from mediaconduit_broker.conformance.check import CheckFailedError, SkippedError
from mediaconduit_broker.conformance.checks.identity import transition_fault
from mediaconduit_broker.conformance.settings import filled, secret_names, value_at
from mediaconduit_broker.conformance.statuses import Failure
from mediaconduit_broker.manifest.schema import CAPABILITIES

MODEL = "providers/p/models/m"
DATA = b"four"


def good() -> list[TransformEvent]:
    """A call with one output of data in two deltas."""
    made = [TransformEvent() for _ in range(6)]
    made[0].started.generation, made[0].started.model = "generations/1", MODEL
    made[1].output_started.kind = OutputKind.OUTPUT_KIND_DATA
    made[1].output_started.media_type = "audio/wav"
    made[2].output_delta.data, made[3].output_delta.data = DATA[:2], DATA[2:]
    made[4].output_completed.size_bytes = len(DATA)
    made[4].output_completed.sha256 = hashlib.sha256(DATA).hexdigest()
    made[5].completed.provenance.provider = "providers/p"
    return numbered(made)


def numbered(made: list[TransformEvent]) -> list[TransformEvent]:
    for number, event in enumerate(made, 1):
        event.sequence = number
    return made


def drop(index: int) -> Callable[[list[TransformEvent]], None]:
    return lambda made: made.pop(index) and None


def change(index: int, path: str, value: object) -> Callable[[list[TransformEvent]], None]:
    def changed(made: list[TransformEvent]) -> None:
        *steps, name = path.split(".")
        node: object = made[index]
        for step in steps:
            node = getattr(node, step)
        setattr(node, name, value)

    return changed


def test_events_that_keep_to_the_contract_have_no_faults() -> None:
    assert events.faults(good(), MODEL) == []


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (drop(0), "the first event is output_started"),
        (drop(1), "which has not begun"),
        (drop(4), "was never completed"),
        (drop(5), "without completed"),
        (change(0, "started.model", "other"), "names the model 'other'"),
        (change(0, "started.generation", "1"), "names the generation '1'"),
        (change(1, "output_started.index", 3), "output 3 begins where output 0"),
        (change(1, "output_started.media_type", ""), "media type ''"),
        (change(1, "output_started.kind", 0), "has no kind"),
        (change(2, "output_delta.text", "no"), "is data and is fed text"),
        (change(4, "output_completed.size_bytes", 3), "has 4 bytes and says 3"),
        (change(4, "output_completed.sha256", "0"), "another SHA-256"),
        (change(4, "output_completed.part.data", DATA), "comes twice"),
        (change(5, "completed.provenance.provider", ""), "provenance names ''"),
        (lambda made: made.append(TransformEvent()), "follows completed"),
        (lambda made: made.insert(2, good()[0]), "started comes again"),
    ],
)
def test_each_fault_of_events_is_told(spoil: Callable[[list[TransformEvent]], None], fault: str) -> None:
    made = good()
    spoil(made)
    assert fault in "; ".join(events.faults(made, MODEL))


def test_a_gap_in_the_sequence_is_told() -> None:
    made = good()
    del made[3]
    assert any("output_completed has sequence 5 where 4 is due" in fault for fault in events.faults(made, MODEL))


def failure(error: MediaConduitError, code: str | None = None) -> Failure:
    status = to_status(error)
    return Failure._unpacked(code or error.code, error.message, status, status.ByteSize())


MISSING = NotFoundError("there is no such model", reason=Reason.MODEL_NOT_FOUND, metadata={"model": "x"})


def test_a_failure_of_the_contract_has_no_faults() -> None:
    assert failure(MISSING).faults() == []


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        (failure(MISSING, "UNKNOWN"), "belongs to NOT_FOUND, not to UNKNOWN"),
        (Failure("INTERNAL", "oops"), "0 ErrorInfos"),
        (Failure("INTERNAL", "", reasons=("OOPS",), domains=("mediaconduit",)), "not in the list"),
        (Failure("INTERNAL", "", reasons=("INTERNAL",), domains=("example.org",)), "domain"),
        (Failure("INTERNAL", "", reasons=("INTERNAL",), domains=("mediaconduit",), details_bytes=4097), "4097 bytes"),
        (failure(NotFoundError("no file /srv/x\n at run (/srv/app.js:3:14)")), "at run (/srv/app.js:3:14)"),
        (failure(NotFoundError("Traceback (most recent call last): …")), "Traceback"),
        (failure(NotFoundError("x", metadata={"file": "/home/me/key.pem"})), "/home/me"),
        (Failure("INTERNAL", "", broken=True), "not a google.rpc.Status"),
    ],
)
def test_each_fault_of_a_failure_is_told(faulty: Failure, fault: str) -> None:
    assert fault in "; ".join(faulty.faults())


@pytest.mark.parametrize(
    "message",
    ["providers/p/models/usr/bin is not there", "see https://example.org/home/page", "1/2 of it", "text/plain"],
)
def test_names_and_addresses_are_no_paths(message: str) -> None:
    assert failure(NotFoundError(message)).leak() == ""


SCHEMA = {
    "properties": {
        "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
        "audio": {
            "properties": {"speed": {"type": "number", "maximum": 3}, "language": {"type": "string", "enum": ["en"]}}
        },
        "video": {"properties": {"duration": {"type": "number", "minimum": 1}}},
        "text": {"properties": {"tool_choice": {"enum": ["TOOL_CHOICE_NONE"]}}},
        "extra": {
            "additionalProperties": False,
            "properties": {"look": {"enum": ["plain"]}, "deep": {"properties": {}}},
        },
    }
}


def test_values_just_outside_of_a_schema_are_found_where_a_message_can_hold_them() -> None:
    found = [(violation.path, violation.value) for violation in options.violations(SCHEMA)]
    assert found == [
        ("seed", -1),
        ("audio.speed", 4),
        ("audio.language", "no such value"),
        ("video.duration", 0),
        ("extra.look", "no such value"),
    ]
    for path, value in found:
        made = TransformOptions()
        options.put(made, path, value)
        assert made != TransformOptions() or path == "video.duration"


def test_an_option_that_a_model_has_is_not_taken_for_lacking() -> None:
    lacking = options.lacking(SCHEMA)
    assert lacking is not None
    assert lacking.path == "image.steps"
    assert not options.takes_any_extra(SCHEMA)
    assert options.takes_any_extra({"properties": {"extra": {"type": "object"}}})


@pytest.mark.parametrize("capability", sorted(CAPABILITIES))
def test_there_is_a_sample_for_every_capability(capability: str) -> None:
    made = samples.turns(Model(name=MODEL), capability)
    assert made
    main = made[-1].parts[0]
    assert main.text or main.data
    assert capability.startswith("text-") or main.media_type == samples.MEDIA[capability.partition("-to-")[0]]


def test_a_model_is_given_the_inputs_it_requires_and_nothing_it_does_not_take() -> None:
    voice = InputSpec(name="voice", media_types=["audio/*"], required=True)
    made = samples.turns(Model(inputs=[voice]), "text-to-audio")
    assert made is not None
    assert [(part.name, part.media_type) for part in made[0].parts] == [("", "text/plain"), ("voice", "audio/wav")]
    assert samples.turns(Model(inputs=[InputSpec(media_types=["audio/mpeg"])]), "audio-to-text") is None
    assert (
        samples.turns(Model(inputs=[InputSpec(name="x", media_types=["font/*"], required=True)]), "text-to-3d") is None
    )


def test_samples_are_what_they_say() -> None:
    with wave.open(io.BytesIO(samples.content("audio/wav"))) as sound:
        assert (sound.getnframes(), sound.getframerate()) == (8000, 16000)
    picture = samples.content("image/png")
    at = picture.index(b"IDAT")
    assert len(zlib.decompress(picture[at + 4 : at + 4 + struct.unpack(">I", picture[at - 4 : at])[0]])) == 48 * (
        64 * 3 + 1
    )
    assert samples.content("video/mp4")[4:8] == b"ftyp"
    triangle = samples.content("model/gltf-binary")
    assert struct.unpack("<4sII", triangle[:12]) == (b"glTF", 2, len(triangle))


KEY = Failure("FAILED_PRECONDITION", "no key", ("CREDENTIALS_MISSING",), ("mediaconduit",), (("variable", "A,B"),))
WRONG = Failure("INVALID_ARGUMENT", "wrong", ("INPUT_INVALID",), ("mediaconduit",))


def test_what_a_failure_needs_is_named() -> None:
    assert KEY.needs == "A, B"
    assert Failure("FAILED_PRECONDITION", "", ("CREDENTIALS_MISSING",)).needs == "a key"
    assert WRONG.needs == ""


@pytest.mark.parametrize(
    ("case", "failure", "error"),
    [
        (Case("it", *INVALID), WRONG, None),
        (Case("it", *INVALID), None, CheckFailedError),
        (Case("it", *INVALID), KEY, CheckFailedError),
        (Case("it", *INVALID, begins=True), KEY, SkippedError),
        (Case("it", *NOT_FOUND), WRONG, CheckFailedError),
        (Case("it", may_succeed=True), None, None),
        (Case("it", may_succeed=True), WRONG, None),
        (Case("it", may_succeed=True), Failure("UNKNOWN", "Unexpected <error>"), CheckFailedError),
    ],
)
def test_a_wrong_request_is_judged_by_its_end(
    case: Case, failure: Failure | None, error: type[Exception] | None
) -> None:
    with pytest.raises(error) if error else contextlib.nullcontext():
        case.judge(failure)


def test_the_stand_ins_address_is_put_wherever_settings_ask_for_it() -> None:
    settings = {"a": "{upstream}/v1", "b": {"c": ["{upstream}", 1]}, "d": "plain"}
    assert filled(settings, "http://x") == {"a": "http://x/v1", "b": {"c": ["http://x", 1]}, "d": "plain"}


def test_secret_settings_are_found_at_any_depth() -> None:
    schema = {"properties": {"a": {"writeOnly": True}, "b": {"properties": {"c": {"writeOnly": True}, "d": {}}}}}
    assert list(secret_names(schema)) == ["a", "b.c"]
    assert value_at({"b": {"c": 1}}, "b.c") == 1
    assert value_at({"b": 2}, "b.c") is None


@pytest.mark.parametrize(
    ("capability", "given", "fits"),
    [
        ("text-to-text", None, True),
        ("text-to-text", Part(data=b"x", media_type="image/png"), False),
        ("smell-to-text", None, False),
    ],
)
def test_only_what_a_model_takes_is_sent(capability: str, given: Part | None, fits: bool) -> None:
    model = Model(capabilities=[capability], inputs=[InputSpec(media_types=["text/*"])])
    assert (samples.turns(model, capability, given) is not None) == fits


UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN = range(4)


@pytest.mark.parametrize(
    ("statuses", "waits", "fault"),
    [
        ([SERVING], False, ""),
        ([NOT_SERVING, SERVING], False, ""),
        ([NOT_SERVING, NOT_SERVING, SERVING], True, ""),
        ([SERVING], True, "before the keys had come"),
        ([NOT_SERVING, SERVING, NOT_SERVING, SERVING], False, "SERVING and then not"),
        ([UNKNOWN, SERVING], False, "neither SERVING nor NOT_SERVING: UNKNOWN"),
        ([SERVICE_UNKNOWN, SERVING], False, "neither SERVING nor NOT_SERVING: SERVICE_UNKNOWN"),
    ],
)
def test_what_health_says_while_it_starts_is_judged(statuses: list[int], waits: bool, fault: str) -> None:
    found = transition_fault(statuses, waits=waits)
    assert fault in found
    assert bool(found) == bool(fault)
