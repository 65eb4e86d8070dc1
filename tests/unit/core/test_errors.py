from alertdrill.core.errors import BadInput, Interrupted, Mistake, nearest


def mistake(source: str, column: int) -> Mistake:
    return Mistake("load.rate", "100", "a rate", "write 100/s", 4, column, source, "a.yaml")


def test_a_mistake_shows_place_line_caret_and_fix() -> None:
    assert mistake("load: {rate: 100}", 14).render().splitlines() == [
        "a.yaml:4:14: load.rate",
        "    load: {rate: 100}",
        "                 ^",
        "  got 100, expected a rate",
        "  fix: write 100/s",
    ]


def test_a_mistake_without_a_line_shows_what_it_knows() -> None:
    shown = Mistake("--rate", "100", "a rate", "write 100/s").render()
    assert shown.splitlines()[0] == "--rate"
    assert Mistake("", "x", "y", "z", file="a.yaml").render().splitlines()[0] == "a.yaml"


def test_the_caret_of_a_long_line_stands_under_its_column() -> None:
    source = "x" * 500 + "HERE" + "y" * 500
    _, quoted, caret, *_ = mistake(source, 501).render().splitlines()
    assert quoted[caret.index("^") :].startswith("HERE")
    assert len(quoted) < 110


def test_what_a_terminal_could_obey_is_never_printed() -> None:
    shown = Mistake("a\x1b[31m", "\x07", "\u202e", "\x9b", 1, 3, "b\x1b\ud800c", "f").render()
    assert all(character.isprintable() or character == "\n" for character in shown)
    shown.encode()


def test_bad_input_shows_twenty_mistakes_and_counts_the_others() -> None:
    error = BadInput([mistake("load", 1)] * 23)
    assert str(error).count("fix:") == 20
    assert str(error).endswith("… and 3 more, shown when these are mended")
    assert len(error.mistakes) == 23


def test_exit_codes() -> None:
    assert (BadInput.exit_code, Interrupted.exit_code) == (2, 130)


def test_nearest_name_ignores_case_and_refuses_strangers() -> None:
    assert nearest("featuredrift", ["FeatureDrift", "ModelDown"]) == "FeatureDrift"
    assert nearest("colour", ["load", "phases"]) is None
