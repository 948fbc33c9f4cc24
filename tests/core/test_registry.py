"""The registry's rules that need no installed distribution."""

from __future__ import annotations

import warnings

import pytest

import crmkit
from crmkit.core import registry as module
from crmkit.core.errors import MissingExtraError, PluginLoadError, PluginWarning, UnknownPluginError
from crmkit.core.registry import Registry, load_target, missing_extra, require_extra, spec_of
from crmkit.core.spec import PluginSpec


def spec(name="thing", target="json:dumps", **given):
    return PluginSpec(kind="segmenter", name=name, target=target, summary="A thing.", **given)


@pytest.mark.parametrize("specs", [("not a spec",), 7, [None]])
def test_a_list_that_holds_no_specs_is_contained(specs):
    registry = Registry(lambda: [("acme", "acme:SPECS", lambda: specs)])
    with pytest.warns(PluginWarning, match="acme"):
        registry.scan()
    assert registry.scan().failures[0].distribution == "acme"


def test_a_name_listed_twice_by_one_distribution_is_reported_and_the_first_kept():
    first = spec(target="json:dumps")
    registry = Registry(lambda: [("acme", "acme:SPECS", lambda: (first, spec(target="json:loads")))])
    with pytest.warns(PluginWarning, match="listed twice"):
        registry.scan()
    assert registry.find("segmenter", "thing").spec is first


def test_a_lone_spec_counts_as_a_list_of_one():
    assert Registry(lambda: [("acme", "acme:SPECS", spec)]).find("segmenter", "acme:thing").spec == spec()


def test_an_unknown_kind_gets_the_nearest_kinds():
    with pytest.raises(UnknownPluginError, match="nearest: segmenter"):
        crmkit.available("segmentor")


def test_a_distribution_prefix_that_nobody_has_is_unknown():
    with pytest.raises(UnknownPluginError, match="nobody:kmeans"):
        crmkit.create("segmenter", "nobody:kmeans")


def test_a_built_in_is_reached_by_its_distribution_too():
    assert crmkit.create("segmenter", "crmkit:kmeans").n_init == 10


def test_a_wrong_parameter_is_told_by_the_plugins_name_with_the_nearest():
    with pytest.raises(
        TypeError, match=r"segmenter 'kmeans' has no parameter 'n_cluster' \(did you mean 'n_clusters'\?\)"
    ):
        crmkit.create("segmenter", "kmeans", n_cluster=3)


def test_given_parameters_win_over_the_specs_defaults():
    assert crmkit.create("segmenter", "kmeans", n_init=3).n_init == 3


def test_a_parameter_may_be_called_name():
    with pytest.raises(TypeError, match="name"):
        crmkit.create("segmenter", "kmeans", name="x")


def test_tags_filter_specs_and_names():
    inductive = crmkit.available("segmenter", tags={"inductive"})
    assert "kmeans" in inductive
    assert {s.name for s in crmkit.available(tags={"inductive"}) if s.kind == "segmenter"} == set(inductive)
    assert crmkit.available("segmenter", tags={"no-such-tag"}) == ()


def test_a_target_that_is_not_callable_or_not_there_is_a_load_error():
    with pytest.raises(PluginLoadError, match="not a class or function"):
        load_target(spec(target="math:pi"), "acme")
    with pytest.raises(PluginLoadError, match="no_such_attribute"):
        load_target(spec(target="math:no_such_attribute"), "acme")


def test_the_built_in_scan_gives_no_warning_and_no_failure():
    crmkit.refresh()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        crmkit.available()
    assert crmkit.failures() == ()


def test_spec_of_imports_nothing():
    assert spec_of("segmenter", "kmeans").target == "sklearn.cluster:KMeans"


def test_require_extra_names_the_command_only_for_the_module_itself():
    with pytest.raises(MissingExtraError, match=r"pip install 'crmkit\[io\]'"):
        require_extra("a_module_that_is_not_there", "io", "saving")


def test_require_extra_lets_the_error_of_another_module_through(tmp_path, monkeypatch):
    (tmp_path / "needs_more.py").write_text("import a_module_that_is_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError) as caught:
        require_extra("needs_more", "io", "saving")
    assert not isinstance(caught.value, MissingExtraError)


def test_a_requirement_without_an_extra_is_installed_by_its_own_name():
    assert str(missing_extra("sub.module", "thing")).endswith("pip install 'sub'")


def test_every_built_in_can_be_imported_or_names_its_extra():
    for one in crmkit.available():
        try:
            assert callable(load_target(one)), one.name
        except MissingExtraError as error:
            assert one.extra is not None, one.name
            assert f"crmkit[{one.extra}]" in str(error)  # noqa: PT017 -- same


def test_failure_and_description_print_what_a_reader_needs():
    failure = module.Failure("acme", "acme:SPECS", ValueError("ill"))
    assert str(failure) == "acme (acme:SPECS): ValueError: ill"
    assert "n_init=10" in str(crmkit.describe("segmenter", "kmeans"))
