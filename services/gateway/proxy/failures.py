"""What the proxy says when a service does not answer."""

from prometheus_client import Counter

from shared.errors import AppError, unavailable

FAILURES = Counter(
    "gateway_upstream_failures_total",
    "Calls a service did not answer properly: unreachable, too_slow, cut (after the answer began), client_left",
    ["upstream", "reason"],
)


def unreachable(upstream: str) -> AppError:
    """502: no connection, or it broke before an answer. Whether the call had an effect is not known."""
    return unavailable(
        "upstream.unreachable",
        vi=f"Dịch vụ {upstream} tạm thời không kết nối được. Hãy gửi lại, với cùng Idempotency-Key nếu là POST.",
        en=f"The service {upstream} cannot be reached right now. Send it again, a POST with the same Idempotency-Key.",
        retry_after=5,
        upstream=upstream,
    )


def too_slow(upstream: str) -> AppError:
    """504: connected, but silent for too long. Whether the call had an effect is not known."""
    return unavailable(
        "upstream.too_slow",
        vi=f"Dịch vụ {upstream} trả lời quá chậm. Hãy gửi lại, với cùng Idempotency-Key nếu là POST.",
        en=f"The service {upstream} takes too long to answer. Send it again, a POST with the same Idempotency-Key.",
        retry_after=10,
        upstream=upstream,
    )
