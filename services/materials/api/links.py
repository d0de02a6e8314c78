"""Signed links to files on the other origin, made and checked with the key that only this service holds."""

from pydantic import SecretStr

from services.materials.domain.signed_links import MINUTES, PLAYER_HOURS, Disposition, FileLink, PackageLink
from shared.clock import Clock
from shared.errors import unavailable


class Links:
    """Makes and checks links. Without an address of its own and a key there are none, and it says so.

    `base` is the address of the other origin without a slash at the end.
    """

    def __init__(self, base: str | None, key: SecretStr | None, clock: Clock) -> None:
        self._base = base.rstrip("/") if base else None
        self._key = key.get_secret_value().encode() if key else None
        self._clock = clock

    @property
    def base(self) -> str:
        """The other origin. Raises `content.not_configured` (unavailable)."""
        return self._configured()[0]

    def link(self, sha256: str, name: str, media_type: str, disposition: Disposition) -> tuple[str, int]:
        """The address, and when it ends (Unix time in seconds)."""
        base, key = self._configured()
        expires = int(self._clock.now().timestamp()) + MINUTES * 60
        link = FileLink(sha256, name, media_type, disposition, expires)
        return link.url(base, key), expires

    def player(self, sha256: str, launch: str) -> tuple[str, int]:
        """The address of a package's player, and when it ends: a lesson long."""
        base, key = self._configured()
        expires = int(self._clock.now().timestamp()) + PLAYER_HOURS * 3600
        return PackageLink(sha256, launch, expires).url(base, key), expires

    def package(self, sha256: str, grant: str) -> PackageLink:
        """What the path of a package's file allows. Raises `link.invalid` or `link.expired`."""
        _, key = self._configured()
        return PackageLink.opened(sha256, grant, key, self._clock.now().timestamp())

    def check(self, link: FileLink, signature: str) -> None:
        _, key = self._configured()
        link.check(key, signature, self._clock.now().timestamp())

    def _configured(self) -> tuple[str, bytes]:
        if self._base is None or self._key is None:
            raise unavailable(
                "content.not_configured",
                vi="Hệ thống chưa đặt địa chỉ riêng cho nội dung (CONTENT_URL, CONTENT_KEY). Báo đơn vị vận hành.",
                en="The address for content (CONTENT_URL, CONTENT_KEY) is not set. Tell the operator.",
            )
        return self._base, self._key
