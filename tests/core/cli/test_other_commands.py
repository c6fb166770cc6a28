"""Commands of other packages stand beside one's own, and cost nothing until they are run."""

from importlib.metadata import EntryPoint

from dragoman.cli.app import COMMANDS, make_app


def other(value):
    return EntryPoint(name="kit", value=value, group=COMMANDS)


def test_a_command_of_another_package_is_found_by_its_entry_point_name():
    app = make_app([other("dragoman.cli.providers:providers")])

    command, _, _ = app.parse_args(["kit"], exit_on_error=False, print_error=False)

    assert "providers" == command.__name__


def test_a_command_of_another_package_is_not_imported_before_it_is_run():
    app = make_app([other("a_package_that_does_not_exist:command")])

    command, _, _ = app.parse_args(["doctor"], exit_on_error=False, print_error=False)

    assert "doctor" == command.__name__


def test_several_commands_of_other_packages_stand_side_by_side():
    names = ("kit", "gateway")
    value = "dragoman.cli.providers:providers"
    app = make_app([EntryPoint(name=name, value=value, group=COMMANDS) for name in names])

    for name in names:
        command, _, _ = app.parse_args([name], exit_on_error=False, print_error=False)
        assert "providers" == command.__name__
