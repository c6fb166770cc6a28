"""What is declared in pyproject.toml and tox.ini names exactly the package folders that exist."""

import importlib
import itertools

import pytest


def names(package_folders, root=""):
    return {folder.split("/")[1] for folder in package_folders if folder.startswith(root)}


def protocols(package_folders):
    return names(package_folders, "adapters/")


def test_wheel_lists_every_package_folder(project, package_folders):
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert package_folders == set(wheel["packages"])


def test_every_root_is_installed_editable_and_counts_for_coverage(project, package_folders):
    roots = {folder.split("/")[0] for folder in package_folders}

    tools = project["tool"]
    assert roots == set(tools["hatch"]["build"]["targets"]["wheel"]["dev-mode-dirs"])
    assert roots == set(tools["coverage"]["run"]["source"])


def test_every_package_is_typed(checkout, package_folders):
    assert [] == [f for f in package_folders if not (checkout / f / "py.typed").is_file()]


def test_every_protocol_folder_has_its_entry_point(project, package_folders):
    declared = project["project"]["entry-points"]["dragoman.protocols"]

    expected = {
        name.removeprefix("dragoman_"): f"{name}.spec:PROTOCOL"
        for name in protocols(package_folders)
    }
    assert expected == declared


def test_every_entry_point_loads(project):
    groups = project["project"]["entry-points"].values()

    for target in itertools.chain(*(group.values() for group in groups)):
        module, _, attribute = target.partition(":")
        assert getattr(importlib.import_module(module), attribute) is not None


def test_every_package_is_under_import_contracts(project, package_folders):
    linter = project["tool"]["importlinter"]
    top, bottom = linter["contracts"][0]["layers"]

    assert names(package_folders) == set(linter["root_packages"])
    assert names(package_folders) - {"dragoman"} == set(top.split(" | "))
    assert "dragoman" == bottom


def test_only_the_conformance_file_of_a_protocol_may_import_the_kit(project, package_folders):
    ignored = project["tool"]["importlinter"]["contracts"][0]["ignore_imports"]

    expected = {
        f"{name}.conformance -> dragoman_conformance" for name in protocols(package_folders)
    }
    assert expected | {"dragoman_conformance.stage.venue -> dragoman_mock"} == set(ignored)


def test_public_types_of_every_protocol_are_verified(checkout, package_folders):
    tox = (checkout / "tox.ini").read_text()

    for name in {"dragoman"} | protocols(package_folders):
        assert f"pyright --verifytypes {name} --ignoreexternal\n" in tox


def test_all_evidence_travels_in_the_wheel(checkout, project):
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]

    folders = (folder.name for folder in (checkout / "cassettes").iterdir() if folder.is_dir())
    expected = {f"cassettes/{name}": f"dragoman_{name}/evidence" for name in folders}
    assert expected == wheel.get("force-include", {})


def test_every_protocol_is_a_subject_of_the_kit(project, package_folders):
    declared = project["project"]["entry-points"]["dragoman.subjects"]

    names = [name.removeprefix("dragoman_") for name in protocols(package_folders)]
    assert {name: f"dragoman_{name}.conformance:SUBJECT" for name in names} == declared


@pytest.mark.parametrize("extra", ["arrow", "cli", "conformance"])
def test_extra_all_has_every_extra(project, extra):
    (everything,) = project["project"]["optional-dependencies"]["all"]

    assert extra in everything.removeprefix("dragoman[").removesuffix("]").split(",")


def test_dependencies_have_lower_bounds_only(project):
    declared = project["project"]
    extras = {name: of for name, of in declared["optional-dependencies"].items() if name != "all"}

    for requirement in itertools.chain(declared["dependencies"], *extras.values()):
        assert ">=" in requirement
        assert not set("<!~,") & set(requirement)
