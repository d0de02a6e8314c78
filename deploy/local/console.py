"""What the person at the terminal sees."""

import contextlib
import shlex
import sys
import time
from pathlib import Path
from typing import Any, TextIO

_began = time.monotonic()


def line(text: str, *, stream: TextIO | None = None) -> None:
    # The terminal may be gone by the time we stop; that must not keep the stack from stopping in order.
    with contextlib.suppress(OSError):
        print(text, file=stream or sys.stdout, flush=True)


def done(text: str) -> None:
    """One finished step with the seconds since the start."""
    line(f"  {time.monotonic() - _began:5.1f} s  ✓ {text}")


def failure(text: str) -> None:
    line(f"\nError: {text}", stream=sys.stderr)


def summary(demo: dict[str, Any], path: Path) -> None:
    """Addresses, demo credentials and three commands to try, from `demo.json` at `path`; nothing if it is empty."""
    if not demo:
        return
    gateway = demo["gateway"]
    line(f"\nGateway   {gateway}     API page   {gateway}/docs")
    _credentials(demo)
    _schools(demo)
    line("\nThree commands to try:")
    for command in _commands(gateway, demo):
        line(f"  {command}")
    line(f"\nAll of this is also in {path}.")


def _credentials(demo: dict[str, Any]) -> None:
    line("\nClients (OAuth 2 client credentials)")
    for name, client in demo.get("clients", {}).items():
        line(f"  {name:<12} {client['clientId']}  {client['clientSecret']}")
    line("Users (token exchange by the portal's client)")
    for role, user in demo.get("users", {}).items():
        line(f"  {role:<20} {user['subject']}  at {user['org']}")


def _schools(demo: dict[str, Any]) -> None:
    line("Schools")
    for school in demo.get("schools", []):
        line(f"  {school['sourcedId']}  {school['name']} ({school['level']})")
    played = demo.get("mainJob") or {}
    if played.get("submissionId"):
        line(f"Main job: import {played['importId']} led to submission {played['submissionId']}")


def _commands(gateway: str, demo: dict[str, Any]) -> list[str]:
    vendor = demo.get("clients", {}).get("vendor", {"clientId": "…", "clientSecret": "…"})
    login = shlex.quote(f"{vendor['clientId']}:{vendor['clientSecret']}")
    read = "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"access_token\"])'"
    import_id = (demo.get("mainJob") or {}).get("importId", "")
    return [
        f"TOKEN=$(curl -s -u {login} -d grant_type=client_credentials {gateway}/oauth2/token | {read})",
        f'curl -s -H "Authorization: Bearer $TOKEN" {gateway}/ims/oneroster/rostering/v1p2/schools',
        f'curl -s -H "Authorization: Bearer $TOKEN" {gateway}/sync/v1/imports/{import_id}',
    ]
