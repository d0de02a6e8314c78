"""The errors of RFC 6749 section 5.2 and RFC 8693 section 2.2.2; the code is `oauth.<error>`.

The English text must keep to the characters RFC 6749 allows in `error_description`: printable ASCII without quotes
and backslashes.
"""

from shared.errors import AppError, Kind, Text

PREFIX = "oauth."


def invalid_client() -> AppError:
    """Unknown client, wrong secret, disabled client, or no credentials: told apart only in the operator's log."""
    return AppError(
        f"{PREFIX}invalid_client",
        Kind.UNAUTHENTICATED,
        Text("Sai mã hoặc khóa bí mật của ứng dụng.", "The client id or its secret is not valid."),
    )


def invalid_request(*, vi: str, en: str) -> AppError:
    return AppError(f"{PREFIX}invalid_request", Kind.INVALID, Text(vi, en))


def unsupported_grant_type(grant_type: str) -> AppError:
    shown = "".join(letter for letter in grant_type[:80] if (letter.isascii() and letter.isalnum()) or letter in "-_.:")
    return AppError(
        f"{PREFIX}unsupported_grant_type",
        Kind.INVALID,
        Text(
            f"Không hỗ trợ grant_type {shown}. Dùng client_credentials hoặc token-exchange (RFC 8693).",
            f"The grant_type {shown} is not supported. Use client_credentials or token exchange (RFC 8693).",
        ),
    )


def invalid_scope(*, vi: str, en: str) -> AppError:
    return AppError(f"{PREFIX}invalid_scope", Kind.INVALID, Text(vi, en))


def unauthorized_client(*, vi: str, en: str) -> AppError:
    return AppError(f"{PREFIX}unauthorized_client", Kind.INVALID, Text(vi, en))


def invalid_target(*, vi: str, en: str) -> AppError:
    return AppError(f"{PREFIX}invalid_target", Kind.INVALID, Text(vi, en))


def too_many_attempts(retry_after: float) -> AppError:
    return AppError(
        f"{PREFIX}too_many_attempts",
        Kind.LIMITED,
        Text(
            "Quá nhiều lần xin mã truy cập. Hãy chờ theo Retry-After.",
            "Too many token requests. Wait as long as Retry-After says.",
        ),
        retry_after=retry_after,
    )
