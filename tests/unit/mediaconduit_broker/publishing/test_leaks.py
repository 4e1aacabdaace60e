import pytest
from mediaconduit_broker.publishing.leaks import Leak, leaks, shown

RANDOM = "Zk3v9QxT7bLm2RcYw8HdJ5sNfA4uPgE6"


def found(text: str, path: str = "src/main.py", **values: str) -> list[str]:
    return [str(leak) for leak in leaks(path, text, values)]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-----BEGIN RSA PRIVATE " + "KEY-----", "a private key"),
        ("-----BEGIN " + "PRIVATE KEY-----", "a private key"),
        ("id = " + "AKIA" + "ABCDEFGHIJ234567", "an AWS access key"),
        ("ghp_" + RANDOM + "abcd", "a GitHub token"),
        ("sk-ant-" + "api03-" + RANDOM, "an Anthropic key"),
        ("key: sk-proj-" + RANDOM, "an OpenAI-style key"),
        ("r8_" + RANDOM, "a Replicate token"),
        ("hf_" + RANDOM, "a Hugging Face token"),
        ("AIza" + RANDOM + "abc", "a Google API key"),
        ("https://user:" + "hunter2hunter2@host.example/x", "a password in a URL"),
        (f'API_KEY = "{RANDOM}"', "what looks like a key"),
        (f"  apiKey: '{RANDOM}',", "what looks like a key"),
        (f'"client_secret": "{RANDOM}"', "what looks like a key"),
    ],
)
def test_keys_are_found_and_named_without_being_told(text: str, what: str) -> None:
    assert found(f"first line\n{text}\n") == [f"src/main.py:2: {what}"]


@pytest.mark.parametrize(
    "text",
    [
        'api_key = os.environ["OPENAI_API_KEY"]',
        'API_KEY = "put-your-own-key-here-please"',
        "token: ${{ secrets.REGISTRY_TOKEN_OF_THE_PROJECT }}",
        'secret = "opens-nothing"',
        "max_tokens = 12345678901234567890",
        "https://api.example.com/v1?token=abc",
        'password_hint = "at least one digit like 1 and letters"',
        "url = f'https://{user}:{password}@{host}/'",
        "sk-learn and sk-short",
        f'API_KEY = "{RANDOM}"  # mediaconduit: not a secret',
    ],
)
def test_what_only_speaks_of_keys_is_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "name", [".env", ".env.local", "deploy/id_rsa", "certs/server.pem", ".npmrc", "service-account-1.json"]
)
def test_files_that_hold_keys_are_known_by_their_names(name: str) -> None:
    assert found("", name) == [f"{name}: a file that holds keys, by its name"]


@pytest.mark.parametrize("name", [".env.example", ".env.template", "id_rsa.pub", "environment.py", "keys.md"])
def test_others_are_not(name: str) -> None:
    assert found("", name) == []


def test_a_secret_of_this_machine_is_found_wherever_it_stands() -> None:
    assert found("a plain word: swordfish", KEY="swordfish") == ["src/main.py:1: the value of KEY"]
    assert found("swordfish  # mediaconduit: not a secret", KEY="swordfish") == ["src/main.py:1: the value of KEY"]
    assert found("abc", KEY="abc") == [], "too short to be more than chance"


def test_many_are_counted() -> None:
    assert shown([Leak("a", n, "x") for n in range(1, 11)], most=2) == "a:1: x\na:2: x\nand 8 more"
