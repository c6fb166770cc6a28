from dragoman.cli.output import Sheet, plain_lines


def test_columns_are_aligned_without_trailing_spaces():
    sheet = Sheet.of("NAME SIZE", [("a", "1.5"), ("longer", "12")], numbers="SIZE")

    assert ["NAME    SIZE", "a        1.5", "longer    12"] == plain_lines(sheet)
    assert ["A  B", "x"] == plain_lines(Sheet.of("A B", [("x", "")]))


def test_cells_cannot_break_a_line():
    sheet = Sheet.of("NAME", [("a\nb\x1b[0m",)])

    assert r"a\nb\x1b[0m" == plain_lines(sheet)[1]


def test_empty_sheet_says_what_there_is_none_of():
    assert ["no orders"] == plain_lines(Sheet.of("NAME", [], empty="no orders"))
