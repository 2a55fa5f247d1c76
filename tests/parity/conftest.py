"""Let `pytest tests/parity` find the package of this checkout, installed or not."""
from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
