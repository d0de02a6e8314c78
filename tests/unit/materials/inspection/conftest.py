from collections.abc import Awaitable, Callable

import pytest

from services.materials.inspection.inspector import Inspector
from services.materials.inspection.report import Inspection, Limits

Inspect = Callable[..., Awaitable[Inspection]]


@pytest.fixture
def inspect(tmp_path) -> Inspect:
    """Look at some bytes as a file, in a real child process."""

    async def run(content: bytes, **limits) -> Inspection:
        path = tmp_path / "file"
        path.write_bytes(content)
        return await Inspector(Limits(**limits)).inspect(path)

    return run
