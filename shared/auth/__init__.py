"""Who is calling: the principal, and how an access token (RFC 9068) becomes one."""

from shared.auth.principal import Principal as Principal
