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
