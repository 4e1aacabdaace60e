import pytest
from mediaconduit_vendors.limits import Allowance, Gate, read_allowance, retry_after, seconds_of

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12", 12.0),
        ("0.5", 0.5),
        ("120ms", 0.12),
        ("1s", 1.0),
        ("6m0s", 360.0),
        ("1h2m3s", 3723.0),
        (str(NOW + 30), 30.0),
        (str(int((NOW + 30) * 1000)), 30.0),
        ("2027-01-15T08:00:10Z", 10.0),
        ("Fri, 15 Jan 2027 08:00:10 GMT", 10.0),
        ("2027-01-15T07:00:00Z", 0.0),
        ("", None),
        ("soon", None),
        ("3 days", None),
    ],
)
def test_times_to_wait_are_read_in_every_form_vendors_use(text: str, seconds: float | None) -> None:
    assert seconds_of(text, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry-after": "7"}, 7.0), ({"retry-after-ms": "250", "retry-after": "1"}, 0.25), ({}, None)],
)
def test_a_vendor_says_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "allowance"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s"}, Allowance(0, 360.0)),
        (
            {
                "anthropic-ratelimit-requests-remaining": "4",
                "anthropic-ratelimit-requests-reset": "2027-01-15T08:01:00Z",
            },
            Allowance(4, 60.0),
        ),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2"}, Allowance(1, 2.0)),
        ({"x-ratelimit-remaining": "many"}, Allowance()),
        ({}, Allowance()),
    ],
)
def test_allowances_are_read_from_the_vendors_own_headers(headers: dict[str, str], allowance: Allowance) -> None:
    assert read_allowance(headers, NOW) == allowance


def test_a_gate_closes_when_the_last_request_of_a_window_is_gone() -> None:
    gate = Gate()
    gate.note({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "100"})
    assert gate.wait == 0
    gate.note({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "100"})
    assert gate.wait == pytest.approx(100, abs=5)
    gate.close_for(10)
    assert gate.wait == pytest.approx(100, abs=5)
