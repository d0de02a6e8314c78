"""`make bench-materials`: what the library costs against limits measured in the same run."""

# ruff: noqa: T201  # a table on the terminal is what it is for

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from deploy.local.ephemeral import throw_away_servers
from deploy.local.plan import REPOSITORY
from tests.load import finding, harvest, review, transfers
from tests.load.figures import Figure, show, write
from tests.load.stack import running
from tests.support.tokens import serving_keys


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=200_000, help="materials (default 200,000)")
    parser.add_argument("--rounds", type=int, default=3, help="how often the two sides alternate (default 3)")
    parser.add_argument("--megabytes", type=int, default=2048, help="of the file that is sent (default 2048)")
    options = parser.parse_args()
    figures: list[Figure] = finding.figures(items=options.items, rounds=options.rounds)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="bench-materials-")))
        servers = opened.enter_context(throw_away_servers(durable=True)).addresses
        jwks_url = opened.enter_context(serving_keys())
        with running("materials", servers, jwks_url, folder) as service:
            at = options.items - options.items // 20
            figures += review.figures(service, options.rounds)
            figures += harvest.figures(service, options.items, at, options.rounds)
    figures += transfers.figures(options.megabytes, options.rounds)
    print(show(figures))
    write(REPOSITORY / ".run" / "bench" / "materials.json", figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
