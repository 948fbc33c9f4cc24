"""The command line, as people call it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import crmkit
from crmkit.cli import main


def run(*arguments, code=0):
    """Call the command in a process of its own."""
    command = [sys.executable, "-m", "crmkit.cli", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done


def test_the_installed_command_says_its_version():
    done = subprocess.run(["crmkit", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"crmkit {crmkit.__version__}"


@pytest.mark.parametrize("arguments", ["['--version']", "['plugins']", "['plugins', 'segmenter']", "['doctor']"])
def test_looking_around_loads_nothing_numeric(arguments):
    code = (
        "import sys, crmkit.cli\n"
        f"try:\n    crmkit.cli.main({arguments})\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('numpy', 'pandas', 'scipy', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_plugins_lists_every_algorithm_with_its_sentence(capsys):
    assert main(["plugins"]) == 0
    shown = capsys.readouterr().out
    for spec in crmkit.available():
        assert spec.name in shown
        assert spec.summary in shown


def test_an_unknown_kind_is_one_message_and_code_two(capsys):
    assert main(["plugins", "segmentor"]) == 2
    assert "nearest: segmenter" in capsys.readouterr().err


def test_doctor_names_versions_extras_and_plugins(capsys):
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    for word in (f"crmkit {crmkit.__version__}", "numpy", "matplotlib", "segmenter"):
        assert word in shown


def test_doctor_names_the_command_for_a_missing_extra(capsys, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "skops" else find(name))
    main(["doctor"])
    assert "missing, pip install 'crmkit[io]'" in capsys.readouterr().out


def test_no_command_shows_the_help(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def test_an_error_is_one_message_without_traceback(tmp_path):
    done = run("run", str(tmp_path / "none.toml"), code=2)
    assert "there is no configuration" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run("--debug", "run", str(tmp_path / "none.toml"), code=1).stderr


def test_the_demo_says_where_the_report_is(tmp_path):
    done = run("demo", "--customers", "400", "--output", str(tmp_path / "demo"))
    report = tmp_path / "demo" / "output" / "report.html"
    assert f"report: {report}" in done.stdout
    assert report.stat().st_size > 20_000
    assert "[1/9] read" in done.stderr
    again = run("run", str(tmp_path / "demo" / "demo.toml"), "--output", str(tmp_path / "again"), "--quiet")
    assert (again.stdout, again.stderr) == ("", "")
    assert (tmp_path / "again" / "plan.csv").read_bytes() == (report.parent / "plan.csv").read_bytes()


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-m', 'crmkit.cli', 'plugins'], "
    code += (
        "stdout=subprocess.PIPE, stderr=subprocess.PIPE); p.stdout.close(); print(p.wait(), p.stderr.read().decode())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"


def test_a_wrong_parameter_in_a_configuration_is_one_line(tmp_path):
    run("demo", "--customers", "300", "--output", str(tmp_path / "demo"), "--quiet")
    configuration = tmp_path / "demo" / "demo.toml"
    text = configuration.read_text(encoding="utf-8").replace(
        "n_segments = 4", "n_segments = 4\nparams = { clusters = 3 }"
    )
    configuration.write_text(text, encoding="utf-8")
    done = run("run", str(configuration), "--output", str(tmp_path / "out"), "--quiet", code=2)
    assert "has no parameter 'clusters'" in done.stderr
    assert "in the step [segments]" in done.stderr
    assert "Traceback" not in done.stderr
    assert "there is no folder" in run("run", str(configuration), "--data", str(tmp_path / "none"), code=2).stderr


@pytest.mark.parametrize("customers", ["0", "20"])
def test_a_demo_too_small_to_show_anything_is_refused_before_anything_is_written(customers, tmp_path):
    done = run("demo", "--customers", customers, "--output", str(tmp_path / "demo"), code=2)
    assert "at least 200 customers" in done.stderr
    assert not (tmp_path / "demo").exists()
