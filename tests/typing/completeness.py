"""Ask pyright whether all that is public is typed: ``python tests/typing/completeness.py`` fails naming what is not.

scikit-learn ships no types, so a class derived from one of its bases has a base of unknown type; that alone is excused.
"""

from __future__ import annotations

import json
import subprocess
import sys

EXCUSED = ("Type of metaclass unknown", "Type of base class")


def main() -> int:
    """Print every public name whose type is missing or unknown, and the score."""
    command = ["pyright", "--ignoreexternal", "--outputjson", "--verifytypes", "crmkit"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if not run.stdout.startswith("{"):
        print(run.stdout, run.stderr, sep="\n")
        return 2
    report = json.loads(run.stdout)["typeCompleteness"]
    untyped = 0
    for symbol in report["symbols"]:
        messages = [entry["message"] for entry in symbol["diagnostics"] if entry["severity"] == "error"]
        told = [message for message in messages if not message.strip().startswith(EXCUSED)]
        if symbol["isExported"] and told:
            untyped += 1
            print(f"{symbol['name']}: {told[0]}")
    print(f"{untyped} public names without a complete type; pyright's score is {report['completenessScore']:.1%}")
    return int(untyped > 0)


if __name__ == "__main__":
    sys.exit(main())
