"""`make bench [ONLY=area]`: measures ours and its floor in the same run, prints a table and writes .binglian/bench/<area>.json."""

import argparse
import importlib
import sys
from pathlib import Path

from tests.load.harness import print_table, write_json

AREAS = ("foundation", "mediation", "population")
OUTPUT = Path(".binglian/bench")


def main() -> int:
    """Runs the areas asked for; exit code 1 when a row misses its target."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=AREAS, metavar="AREA", help=f"measure one area only: {', '.join(AREAS)}")
    parser.add_argument("--rows", default="", help="only these rows, separated by commas")
    args = parser.parse_args()
    missed = 0
    for area in [args.only] if args.only else AREAS:
        rows = importlib.import_module(f"tests.load.{area}").run(only={name for name in args.rows.split(",") if name})
        print(f"\n{area}")
        print_table(rows)
        write_json(OUTPUT / f"{area}.json", rows)
        missed += sum(row.target is not None and not row.ok for row in rows)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
