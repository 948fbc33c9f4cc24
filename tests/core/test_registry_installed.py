"""The registry against distributions that are really built and installed."""

from __future__ import annotations

QUIET = "import warnings; warnings.simplefilter('ignore')\nimport crmkit, sys\n"


def test_a_third_party_algorithm_is_listed_and_created(site):
    answer = site.run(
        QUIET
        + """
ring = crmkit.create("segmenter", "nearest-ring", n_rings=5)
answer = ["nearest-ring" in crmkit.available("segmenter"), type(ring).__module__, ring.n_rings]
"""
    )
    assert answer == [True, "acme_rings.rings", 5]


def test_listing_imports_neither_numbers_nor_algorithms(site):
    answer = site.run(
        QUIET
        + """
names = crmkit.available("segmenter")
specs = crmkit.available()
heavy = [m for m in ("numpy", "pandas", "scipy", "sklearn", "acme_rings.rings") if m in sys.modules]
answer = [heavy, len(names) > 5, len(specs) > len(names)]
"""
    )
    assert answer == [[], True, True]


def test_a_distribution_that_raises_at_import_is_contained_remembered_and_warned_of_once(site):
    answer = site.run(
        """
import warnings, crmkit
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    crmkit.available("segmenter"); crmkit.available(); crmkit.available("segmenter")
told = [str(w.message) for w in caught if "ill" in str(w.message)]
failures = [(f.distribution, type(f.error).__name__, str(f.error)) for f in crmkit.failures()]
answer = [len(told), failures, "kmeans" in crmkit.available("segmenter")]
"""
    )
    assert answer == [
        1,
        [["ill-rings", "ValueError", "ill at import"], ["leaving-rings", "SystemExit", "3"]],
        True,
    ]


def test_an_unknown_name_is_chained_to_the_error_of_a_distribution_that_did_not_load(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "ill")
except crmkit.UnknownPluginError as error:
    answer = [str(error), repr(error.__cause__)]
"""
    )
    assert "ill-rings" in answer[0]
    assert answer[1] == "ValueError('ill at import')"


def test_an_algorithm_whose_module_raises_is_reported_with_its_own_error_chained(site):
    answer = site.run(
        QUIET
        + """
raised = []
for _ in range(2):
    try:
        crmkit.create("segmenter", "breaks-inside")
    except crmkit.PluginLoadError as error:
        raised.append([str(error), repr(error.__cause__)])
kept = [f.entry for f in crmkit.failures() if f.distribution == "acme-rings"]
answer = [raised, kept, crmkit.create("segmenter", "nearest-ring").n_rings]
"""
    )
    raised, kept, others_work = answer
    assert raised[0] == raised[1]
    assert "breaks-inside" in raised[0][0]
    assert raised[0][1] == "RuntimeError('the frog is ill')"
    assert kept == ["segmenter:breaks-inside"]
    assert others_work == 3


def test_a_missing_requirement_names_the_exact_pip_command(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "needs-extra")
except ImportError as error:
    answer = [type(error).__name__, str(error), isinstance(error, crmkit.PluginError), error.name]
"""
    )
    assert answer[0] == "MissingExtraError"
    assert answer[1].endswith("pip install 'acme-rings[needy]'")
    assert answer[2:] == [True, "a_library_that_is_not_there"]


def test_an_undeclared_missing_module_is_a_load_error_and_no_pip_advice(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "undeclared")
except crmkit.PluginError as error:
    answer = [type(error).__name__, "pip install" in str(error)]
"""
    )
    assert answer == ["PluginLoadError", False]


def test_a_built_in_keeps_its_bare_name_and_the_outsider_is_reached_by_distribution(site):
    answer = site.run(
        """
import warnings, crmkit
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    names = crmkit.available("segmenter"); crmkit.available("segmenter")
clashes = [str(w.message) for w in caught if "kmeans" in str(w.message)]
answer = [len(clashes), "kmeans" in names, "acme-rings:kmeans" in names,
          type(crmkit.create("segmenter", "kmeans")).__module__.split(".")[0],
          type(crmkit.create("segmenter", "acme-rings:kmeans")).__module__]
"""
    )
    assert answer == [1, True, True, "sklearn", "acme_rings.rings"]


def test_two_outsiders_of_one_name_are_an_error_naming_both(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "shared")
except crmkit.AmbiguousPluginError as error:
    listed = "shared" in crmkit.available("segmenter")
    answer = [str(error), crmkit.create("segmenter", "beta-rings:shared").n_rings, listed]
"""
    )
    assert "acme-rings:shared" in answer[0]
    assert "beta-rings:shared" in answer[0]
    assert answer[1:] == [7, False]


def test_a_plugin_for_another_interface_is_refused_with_a_sentence(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "from-tomorrow")
except crmkit.PluginVersionError as error:
    answer = str(error)
"""
    )
    assert "api 99" in answer
    assert "api 1" in answer


def test_an_unknown_name_gets_the_nearest_ones_and_the_list(site):
    answer = site.run(
        QUIET
        + """
try:
    crmkit.create("segmenter", "nearest-rung")
except LookupError as error:
    answer = str(error)
"""
    )
    assert "nearest: nearest-ring" in answer
    assert "kmeans" in answer


def test_a_function_is_created_as_a_partial_of_its_parameters(site):
    answer = site.run(QUIET + "answer = crmkit.create('weather-forecaster', 'frog', mood='wet')()")
    assert answer == ["wet", "wet", "wet"]


def test_the_scan_is_cached_until_it_is_refreshed(site, tmp_path):
    late = type(site)(tmp_path / "late")
    late.install(
        "late-rings",
        {
            "__init__.py": """
                from crmkit import PluginSpec
                late = {"kind": "segmenter", "name": "late", "target": "collections:Counter"}
                SPECS = (PluginSpec(summary="Installed while the program runs.", **late),)
            """
        },
    )
    code = f"""
before = "late" in crmkit.available("segmenter")
sys.path.append({str(late.folder)!r})
cached = "late" in crmkit.available("segmenter")
crmkit.refresh()
answer = [before, cached, "late" in crmkit.available("segmenter")]
"""
    assert site.run(QUIET + code) == [False, False, True]


def test_describe_gives_spec_parameters_and_documentation(site):
    answer = site.run(
        QUIET
        + """
description = crmkit.describe("weather-forecaster", "frog")
answer = [description.distribution, dict(description.parameters), description.doc, "Croak." in str(description)]
"""
    )
    assert answer == ["acme-rings", {"days": 3, "mood": "fair"}, "Croak.", True]
