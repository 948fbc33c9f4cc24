"""The command line: run a configuration, see a demo, list plugins, check the installation."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from typing import TYPE_CHECKING

from crmkit.core.errors import CrmkitError, DataWarning, PluginWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

# Import name, what it is for, and the extra that installs it.
_EXTRAS = (
    ("rjieba", "Chinese words", "zh"),
    ("matplotlib", "pictures", "report"),
    ("jinja2", "reports", "report"),
    ("pyarrow", "Parquet and Arrow", "engine"),
    ("duckdb", "larger than memory", "engine"),
    ("skops", "saving models with scikit-learn parts", "io"),
    ("pytest", "conformance checks", "testing"),
    ("hypothesis", "property tests", "testing"),
)
_CORE = ("numpy", "scipy", "scikit-learn", "pandas", "narwhals", "typing-extensions")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str or None
        Arguments; None for those the program was called with.

    Returns
    -------
    int
        0 where all went well, 1 where ``doctor`` found something, 2 for an error that crmkit tells.

    Examples
    --------
    >>> from crmkit.cli import main
    >>> main(["plugins", "spend-model"])
    spend-model
      gamma-gamma  A customer's mean spend drawn towards everyone's, the more the fewer purchases there were.
      mean         Every customer's own mean spend: the yardstick.
    0
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 0
    try:
        with warnings.catch_warnings():
            if not arguments.debug:
                warnings.showwarning = _show_warning
            code = int(arguments.do(arguments))
            sys.stdout.flush()
            return code
    except BrokenPipeError:
        # Whoever read our output has seen enough; a second complaint at exit is avoided by writing nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (CrmkitError, OSError, TypeError, ValueError) as error:
        # A wrong value in a configuration may come out as Python's own error; one from no step is a fault of ours.
        ours = not isinstance(error, CrmkitError | OSError) and not getattr(error, "__notes__", ())
        if arguments.debug or ours:
            raise
        notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
        print(f"crmkit: {type(error).__name__}: {error}{notes}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("crmkit: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    """Build the parser."""
    from crmkit import __version__

    parser = argparse.ArgumentParser(prog="crmkit", description="From customer records to decisions.")
    parser.add_argument("--version", action="version", version=f"crmkit {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands")
    run = commands.add_parser("run", help="run the steps that a TOML configuration names")
    run.add_argument("configuration", help="the TOML file")
    run.add_argument("--output", help="the folder to write to")
    run.add_argument("--data", help="the folder of the sources, instead of what the configuration says")
    run.add_argument("--quiet", action="store_true", help="no progress and no summary")
    run.set_defaults(command="run", do=_run)
    demo = commands.add_parser("demo", help="see the main job on a simulated company")
    demo.add_argument("--output", default="crmkit-demo", help="the folder to write to (default: %(default)s)")
    demo.add_argument("--customers", type=int, default=2_000, help="how many customers (default: %(default)s)")
    demo.add_argument("--quiet", action="store_true", help="no progress")
    demo.set_defaults(command="demo", do=_demo)
    plugins = commands.add_parser("plugins", help="list every algorithm, and what did not load")
    plugins.add_argument("kind", nargs="?", help="one kind only, such as segmenter")
    plugins.set_defaults(command="plugins", do=_plugins)
    doctor = commands.add_parser("doctor", help="say what is installed and what is missing")
    doctor.set_defaults(command="doctor", do=_doctor)
    return parser


def _show_warning(message: Warning | str, category: type[Warning], *_place: object, **_more: object) -> None:
    """Print a warning of crmkit's in one line, without the place in the code; others say little to a user."""
    if issubclass(category, DataWarning | PluginWarning):
        print(f"  note: {message}", file=sys.stderr)


def _tell(line: str) -> None:
    """Print a line of progress at once."""
    print(line, file=sys.stderr, flush=True)


def _silent(_line: str) -> None:
    """Print nothing."""


def _run(arguments: argparse.Namespace) -> int:
    """Run a configuration and print what was done."""
    from crmkit.pipeline import run

    tell = _silent if arguments.quiet else _tell
    result = run(arguments.configuration, output=arguments.output, data=arguments.data, progress=tell)
    if not arguments.quiet:
        print(result.summary())
    return 0


def _demo(arguments: argparse.Namespace) -> int:
    """Run the demo and say where the report is."""
    from crmkit.pipeline import demo

    tell = _silent if arguments.quiet else _tell
    result = demo(arguments.output, n_customers=arguments.customers, progress=tell)
    print(result.summary())
    return 0


def _plugins(arguments: argparse.Namespace) -> int:
    """List algorithms by kind, then failures."""
    from crmkit.core.registry import available, failures, spec_of

    kinds = [arguments.kind] if arguments.kind else sorted({spec.kind for spec in available()})
    for kind in kinds:
        names = available(kind)
        width = max(map(len, names))
        print(kind)
        for name in names:
            print(f"  {name:{width}}  {spec_of(kind, name).summary}")
    for failure in failures():
        print(f"did not load: {failure}", file=sys.stderr)
    return 0


def _doctor(_arguments: argparse.Namespace) -> int:
    """Print versions, extras, plugins and failures."""
    import platform
    from importlib.metadata import version
    from importlib.util import find_spec

    from crmkit import __version__
    from crmkit.core.registry import available, failures

    print(f"crmkit {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for distribution in _CORE:
        print(f"  {distribution} {version(distribution)}")
    print("extras")
    for module, purpose, extra in _EXTRAS:
        state = "installed" if find_spec(module) is not None else f"missing, pip install 'crmkit[{extra}]'"
        print(f"  {module:10} {purpose}: {state}")
    kinds = sorted({spec.kind for spec in available()})
    print("plugins\n  " + ", ".join(f"{len(available(kind))} {kind}" for kind in kinds))
    broken = failures()
    for failure in broken:
        print(f"  did not load: {failure}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
