"""The child as it is, with a reader that has a fault."""

from typing import BinaryIO

from services.materials.inspection import child, look
from services.materials.inspection.report import Inspection, Limits


def stumble(file: BinaryIO, limits: Limits) -> Inspection:
    raise KeyError


look.look = stumble

if __name__ == "__main__":
    child.main()
