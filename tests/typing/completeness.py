"""Ask pyright whether all that is public is typed: ``python tests/typing/completeness.py`` fails naming what is not.

scikit-learn ships no types, so a class derived from one of its bases has a base of unknown type; that alone is excused,
in the class and in what gives one.
"""

from __future__ import annotations

import json
import subprocess
import sys

EXCUSED = ("Type of metaclass unknown", "Type of base class")


def is_excused(message: str) -> bool:
    """Say whether a message tells of a base without types."""
    return message.startswith(EXCUSED)


def main() -> int:
    """Print every public name whose type is missing or unknown, and the score."""
    command = ["pyright", "--ignoreexternal", "--outputjson", "--verifytypes", "crmkit"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if not run.stdout.startswith("{"):
        print(run.stdout, run.stderr, sep="\n")
        return 2
    report = json.loads(run.stdout)["typeCompleteness"]
    found = {
        symbol["name"]: [entry["message"].strip() for entry in symbol["diagnostics"] if entry["severity"] == "error"]
        for symbol in report["symbols"]
    }
    derived = [name.rpartition(".")[2] for name, messages in found.items() if any(map(is_excused, messages))]
    given = {f'Return type is partially unknown Return type is "{name}"' for name in derived}
    untyped = 0
    for symbol in report["symbols"]:
        messages = found[symbol["name"]]
        told = [message for message in messages if not is_excused(message) and " ".join(message.split()) not in given]
        if symbol["isExported"] and told:
            untyped += 1
            print(f"{symbol['name']}: {told[0]}")
    print(f"{untyped} public names without a complete type; pyright's score is {report['completenessScore']:.1%}")
    return int(untyped > 0)


if __name__ == "__main__":
    sys.exit(main())
