"""Columns that line up."""

from __future__ import annotations

from pinnacle_backup.cli.table import Cell, Column, facts, lines, total_width


def test_columns_line_up_by_cells_and_no_line_ends_in_spaces() -> None:
    columns = (Column("NAME"), Column("SIZE", right=True), Column("NOTE"))
    rows = [(Cell("写真"), Cell("1.2 GB"), Cell("")), (Cell("a"), Cell("7 B"), Cell("new"))]
    assert lines(columns, rows) == ["NAME    SIZE  NOTE", "写真  1.2 GB", "a        7 B  new"]
    assert total_width(columns, rows) == 18


def test_styles_do_not_shift_columns() -> None:
    rows = [(Cell("a", "good"), Cell("b"))]
    assert lines(
        (Column("X1"), Column("Y")), rows, lambda text, style: f"<{style}>{text}" if style else text
    )[1] == ("<good>a   b")


def test_facts_without_a_value_are_left_out() -> None:
    assert facts([("type", "full"), ("base", ""), ("verified", "never")]) == [
        "type      full",
        "verified  never",
    ]


def test_a_long_fact_goes_on_below_itself_and_no_path_is_broken() -> None:
    pairs = [("told", "e-mail to anna@example.org through localhost:587"), ("root", "/srv/" + 40 * "a")]
    assert facts(pairs, columns=36) == [
        "told  e-mail to anna@example.org",
        "      through localhost:587",
        f"root  /srv/{40 * 'a'}",
    ]
