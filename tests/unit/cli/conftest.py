import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("core", "compose")]  # for the builders of drills
