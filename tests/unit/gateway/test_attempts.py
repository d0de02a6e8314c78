import pytest

from services.gateway.domain.attempts import Allowance, Attempts
from shared.errors import AppError, Kind


def test_an_allowance_is_spent_and_comes_back_evenly():
    allowance = Allowance(6)
    for _ in range(6):
        assert allowance.wait("a", 0.0) == 0
        allowance.take("a", 0.0)
    assert allowance.wait("a", 0.0) == pytest.approx(10)
    assert allowance.wait("a", 4.0) == pytest.approx(6)
    assert allowance.wait("a", 10.0) == 0
    assert allowance.wait("b", 0.0) == 0


def test_an_idle_key_saves_up_one_minute_and_no_more():
    allowance = Allowance(2)
    for _ in range(2):
        allowance.take("a", 100_000.0)
    assert allowance.wait("a", 100_000.0) > 0


def test_strangers_cannot_fill_the_memory():
    allowance = Allowance(1)
    for number in range(10_500):
        allowance.take(str(number), 0.0)
    assert len(allowance._buckets) == 10_000
    assert allowance.wait("10499", 0.0) > 0


def test_wrong_secrets_count_for_that_client_at_that_address_only():
    attempts = Attempts(requests_per_minute=100, failures_per_minute=1)
    attempts.failed("1.1.1.1", "vendor", 0.0)
    with pytest.raises(AppError) as refused:
        attempts.check("1.1.1.1", "vendor", 0.0)
    assert (refused.value.kind, refused.value.code) == (Kind.LIMITED, "oauth.too_many_attempts")
    assert refused.value.retry_after == pytest.approx(60)
    attempts.check("2.2.2.2", "vendor", 0.0)
    attempts.check("1.1.1.1", "other", 0.0)
    attempts.check("1.1.1.1", "vendor", 60.0)


def test_a_success_forgives():
    attempts = Attempts(requests_per_minute=100, failures_per_minute=2)
    attempts.failed("a", "vendor", 0.0)
    attempts.succeeded("a", "vendor")
    attempts.failed("a", "vendor", 0.0)
    attempts.check("a", "vendor", 0.0)
    assert attempts._failures.wait("a vendor", 0.0) == 0
