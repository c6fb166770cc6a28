def test_providers_name_environment_and_variables(cli):
    rows = {line.split()[0]: line.split() for line in cli("providers").lines}

    assert "SIMULATED" == rows["mock"][1]
    assert "LIVE" == rows["toy-live"][1]
    assert ["TOY_API_KEY,", "TOY_HANDLE"] == rows["toy-live"][-2:]


def test_providers_as_json_describe_keys_and_options(cli):
    found = {one["name"]: one for one in cli("providers", "--json").json["providers"]}

    assert "seed" in [option["name"] for option in found["mock"]["options"]]
    keys = found["toy-live"]["credentials"]
    assert [["TOY_API_KEY"], ["TOY_HANDLE"]] == [one["variables"] for one in keys]


def test_capabilities_need_no_keys(cli):
    found = cli("capabilities", "toy-live")

    assert (0, "toy-live (LIVE): Toy venue") == (found.code, found.lines[0])


def test_capabilities_follow_the_options(cli):
    plain = cli("capabilities", "--json").json["capabilities"]
    fewer = cli("capabilities", "mock", "--option", "native_exits=false", "--json").json

    assert "NATIVE" == plain["exits"]["BRACKET"]
    assert {} == fewer["capabilities"]["exits"]
    assert {"kind", "order_type", "time_in_force", "support"} == plain["orders"][0].keys()


def test_capabilities_show_types_with_their_times(cli):
    rows = [line.split() for line in cli("capabilities").lines]

    assert ["MARKET", "DAY", "GTC", "IOC", "FOK", "GTD", "OPG", "CLS"] == next(
        row[:8] for row in rows if row[:1] == ["MARKET"]
    )


def test_capabilities_of_an_unknown_provider_are_refused(cli):
    assert 3 == cli("capabilities", "nope").code
