"""Every check of the project, each in an environment of its own: ``nox -l`` lists them, ``nox`` runs the usual ones."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint", "types", "arch", "doctest", "docs", "examples", "plugin_template"]

HERE = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13"]
# One thread a process: two test processes with as many threads as cores each are slower than one.
THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
# pip and hatchling build and install the second distribution that the registry's tests need.
TESTING = ["pytest-cov>=5", "pytest-xdist>=3.6", "pip>=24", "hatchling>=1.27", "polars>=1.0"]


def run_tests(session: nox.Session, *options: str) -> None:
    """Run the test suite in parallel, with what the session passes on."""
    session.run("pytest", "-n", "auto", "--dist", "worksteal", *options, *session.posargs, env=THREADS)


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests on the interpreter at hand; line coverage must stay above 95 %."""
    session.install(".[all]", *TESTING)
    whole = not session.posargs
    run_tests(session, *(["--cov", "--cov-report=term"] if whole else []))


@nox.session(python=PYTHONS)
def tests_all(session: nox.Session) -> None:
    """Run all tests on every supported Python that this machine has."""
    session.install(".[all]", *TESTING)
    run_tests(session)


@nox.session(venv_backend="uv")
def mindeps(session: nox.Session) -> None:
    """Run all tests on the oldest releases that pyproject.toml admits."""
    session.install("--resolution", "lowest-direct", ".[all]", *TESTING)
    run_tests(session)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with every rule of ruff, each exception with its reason."""
    session.install("ruff>=0.17")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types: mypy strict and pyright on the source, and that all that is public is typed."""
    session.install(
        ".[all]", "mypy>=1.13", "pyright[nodejs]>=1.1.390", "pandas-stubs>=2.2", "scipy-stubs>=1.14", "pytest>=8.2"
    )
    session.run("mypy")
    session.run("pyright")
    session.run("python", "tests/typing/completeness.py")
    session.run("mypy", "--strict", "tests/typing/use_of_the_facade.py")


@nox.session
def arch(session: nox.Session) -> None:
    """Check that the rooms know only those below them."""
    session.install("-e", ".", "import-linter>=2.1")
    session.run("lint-imports")


@nox.session
def doctest(session: nox.Session) -> None:
    """Run every example in a docstring."""
    session.install(".[all]")
    # pytest reads the files of the source tree, so the installed copy must not be in the way.
    session.install("-e", ".")
    session.run("pytest", "-q", "--doctest-modules", "src/crmkit", "-p", "no:cacheprovider", env=THREADS)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install(".[all,docs]")
    out = HERE / "docs" / "_build"
    shutil.rmtree(out, ignore_errors=True)
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", str(out / "html"), env=THREADS)


@nox.session
def examples(session: nox.Session) -> None:
    """Run every script and configuration in examples/."""
    session.install(".[all]")
    data = os.environ.get("CRMKIT_DATA", str(HERE.parent / "shared" / "data"))
    room = Path(session.create_tmp()).resolve()
    environment = {**THREADS, "CRMKIT_DATA": data, "MPLBACKEND": "agg"}
    scripts = sorted((HERE / "examples").glob("plot_*.py"))
    configurations = sorted((HERE / "examples").glob("*.toml"))
    with session.chdir(room):
        for script in scripts:
            session.run("python", str(script), env=environment)
        for configuration in configurations:
            out = room / configuration.stem
            session.run("crmkit", "run", str(configuration), "--output", str(out), env=environment)


@nox.session
def plugin_template(session: nox.Session) -> None:
    """Build and install the template of a plugin distribution and run its conformance tests."""
    session.install(".[testing]", "build>=1.2")
    wheels = Path(session.create_tmp()).resolve() / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    template = HERE / "examples" / "plugin-template"
    session.run("python", "-m", "build", "--wheel", "--outdir", str(wheels), str(template))
    session.install("--force-reinstall", "--no-deps", *map(str, wheels.glob("*.whl")))
    session.run("pytest", "-q", "-s", "-p", "no:cacheprovider", str(template / "tests"), env=THREADS)


@nox.session
def postgres(session: nox.Session) -> None:
    """Run the tests of casework on a real PostgreSQL, installed from Debian packages where there is none."""
    session.install(".[all]", *TESTING)
    programs = postgres_programs()
    if programs is None and shutil.which("apt-get"):
        session.run("apt-get", "install", "-y", "--no-install-recommends", "postgresql", external=True)
        programs = postgres_programs()
    if programs is None:
        session.error("there is no PostgreSQL, and no apt-get to install one: apt-get install postgresql")
    # The server refuses to run as root; Debian's package makes the user postgres.
    with tempfile.TemporaryDirectory(prefix="crmkit-postgres-") as folder:
        as_user = []
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
            as_user = ["runuser", "-u", "postgres", "--"]
        cluster = f"{folder}/data"

        def run(program: str, *options: str) -> None:
            session.run(*as_user, str(programs / program), "-D", cluster, *options, external=True, silent=True)

        run("initdb", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-U", "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        run("pg_ctl", "-w", "-l", f"{folder}/log", "-o", f"-p {port} -k {folder} -h 127.0.0.1", "start")
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
            session.run("pytest", "-q", "tests/casework", *session.posargs, env={**THREADS, "CRMKIT_POSTGRES": url})
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def postgres_programs() -> Path | None:
    """Give the folder of PostgreSQL's programs, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).resolve().parent if beside else None


@nox.session
def bench(session: nox.Session) -> None:
    """Print speed and memory, ours beside the peers', measured in one run."""
    session.install(".[all]", "lifetimes>=0.11.3", "kmodes>=0.12.2", "scikit-surprise>=1.1.5", "implicit>=0.7.3")
    for script in sorted((HERE / "tests" / "benchmarks").glob("bench_*.py")):
        session.run("python", str(script), *session.posargs, env=THREADS)


@nox.session
def dist(session: nox.Session) -> None:
    """Build the distributions, check them, and use the wheel in an environment that has nothing else."""
    session.install("build>=1.2", "twine>=5")
    out = Path(session.create_tmp()).resolve() / "dist"
    shutil.rmtree(out, ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(out))
    artefacts = [str(path) for path in out.iterdir()]
    session.run("twine", "check", "--strict", *artefacts)
    session.install("--force-reinstall", *(path for path in artefacts if path.endswith(".whl")))
    with session.chdir(out):
        session.run("python", "-c", "import crmkit; print(len(crmkit.available()), 'algorithms')")
        session.run("crmkit", "doctor")
