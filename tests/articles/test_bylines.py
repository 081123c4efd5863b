from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from articles import bylines
from articles.bylines import Credit, Role, parse_byline, split_trailing_credits

LETTERS = {
    "a": Role.AUTHOR,
    "c": Role.CONTRIBUTING_REPORTER,
    "p": Role.PHOTOGRAPHER,
    "i": Role.ILLUSTRATOR,
    "e": Role.EDITOR,
    "t": Role.TRANSLATOR,
    "g": Role.AGENCY,
}


def credits(*written: str) -> tuple[Credit, ...]:
    """Credits from "a Ann Lee": a letter for the role, then the name."""
    return tuple(Credit(text[2:], LETTERS[text[0]]) for text in written)


BYLINES = [
    # plain names
    ("Ann Lee", "", ["a Ann Lee"]),
    ("By Ann Lee", "en", ["a Ann Lee"]),
    ("by Ann Lee", "", ["a Ann Lee"]),
    ("BY ANN LEE", "en", ["a Ann Lee"]),
    ("By: Ann Lee", "en", ["a Ann Lee"]),
    ("Written by Ann Lee", "en", ["a Ann Lee"]),
    ("Story by Ann Lee; photographs by Bo Li", "en", ["a Ann Lee", "p Bo Li"]),
    ("By Ann Lee and Bo Li", "en", ["a Ann Lee", "a Bo Li"]),
    ("By Ann Lee, Bo Li and Cy Diaz", "en", ["a Ann Lee", "a Bo Li", "a Cy Diaz"]),
    ("By Ann Lee, Bo Li, and Cy Diaz", "en", ["a Ann Lee", "a Bo Li", "a Cy Diaz"]),
    ("By Ann Lee, Bo Li And Di Eck.", "en", ["a Ann Lee", "a Bo Li", "a Di Eck"]),
    ("Ann Lee & Bo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee; Bo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee / Bo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee | Bo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee\nBo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee • Bo Li", "", ["a Ann Lee", "a Bo Li"]),
    ("Ann Lee, Ann Lee", "", ["a Ann Lee"]),
    ("Lee, Ann", "", ["a Ann Lee"]),
    ("jdoe", "", ["a jdoe"]),
    ("/u/j_doe99", "", ["a j_doe99"]),
    ("j.doe-2", "", ["a j.doe-2"]),
    ("Berg, A. B.", "en", ["a A. B. Berg"]),
    ("Berg, A., Li, C. D.", "en", ["a A. Berg", "a C. D. Li"]),
    ("BERG, A.-M., O'Neill, R. J.", "en", ["a A.-M. Berg", "a R. J. O'Neill"]),
    ("Ann Lee Africa correspondent", "en", ["a Ann Lee"]),
    ("Weather Data Team", "en", []),
    ("Staff and agencies", "en", []),
    # lead-ins, helpers and desks
    ("Reviewed by Ann Lee", "en", ["a Ann Lee"]),
    ("Words and pictures by Ann Lee", "en", ["a Ann Lee", "p Ann Lee"]),
    ("Ann Lee, Theatre Critic", "en", ["a Ann Lee"]),
    ("Par Marie Lenoir avec agences", "fr", ["a Marie Lenoir"]),
    ("avec agences", "fr", []),
    ("Von unserer Wissenschaftsredakteurin Eva Stern", "de", ["a Eva Stern"]),
    ("Ein Porträt von Eva Stern", "de", ["a Eva Stern"]),
    ("Rozmawiała Anna Kowalska", "pl", ["a Anna Kowalska"]),
    ("文・宮内あかり", "ja", ["a 宮内あかり"]),
    ("経済部 堀内", "ja", ["a 堀内"]),
    ("قسم الاقتصاد", "ar", []),
    # spellings of names
    ("By Siobhán O'Neill", "en", ["a Siobhán O'Neill"]),
    ("By Siobhán O’Neill and Seán Ó Briain", "en", ["a Siobhán O’Neill", "a Seán Ó Briain"]),
    ("By JANE O'BRIEN-SMITH AND MARIA DE LA CRUZ", "en", ["a Jane O'Brien-Smith", "a Maria de la Cruz"]),
    ("By ANGUS MCDONALD", "en", ["a Angus McDonald"]),
    ("By J.R.R. TOLKAN III", "en", ["a J.R.R. Tolkan III"]),
    ("By Martin Lu King, Jr.", "en", ["a Martin Lu King Jr."]),
    ("By Martin Lu King, Jr., and Bo Li", "en", ["a Martin Lu King Jr.", "a Bo Li"]),
    ("By W. E. B. Du Bo", "en", ["a W. E. B. Du Bo"]),
    ("By Anna van der Berg", "en", ["a Anna van der Berg"]),
    ("By Omar al-Sayed and Leila bin Said", "en", ["a Omar al-Sayed", "a Leila bin Said"]),
    ("By Jean-Luc D’Arc", "en", ["a Jean-Luc D’Arc"]),
    ("Par Aïcha Benali et Jean-Luc d’Aubigny", "fr", ["a Aïcha Benali", "a Jean-Luc d’Aubigny"]),
    ("By Dr. Ann Lee", "en", ["a Ann Lee"]),
    ("By Hobby Byrd", "en", ["a Hobby Byrd"]),
    ("Von Miller", "en", ["a Von Miller"]),
    ("Von Trapp", "de", ["a Von Trapp"]),
    ("Da Costa", "", ["a Da Costa"]),
    ("José Ortega y Gasset", "es", ["a José Ortega y Gasset"]),
    # places, jobs, outlets
    ("By Ann Lee in Paris and Bo Li in Rome", "en", ["a Ann Lee", "a Bo Li"]),
    ("By Ann Lee in Paris, France and Bo Li", "en", ["a Ann Lee", "a Bo Li"]),
    ("By Ann Lee in Kyiv, Bo Li and Cy Diaz in Lviv", "en", ["a Ann Lee", "a Bo Li", "a Cy Diaz"]),
    ("By Ann Lee for The Morning Mail", "en", ["a Ann Lee"]),
    ("By Ann Lee, Chief correspondent", "en", ["a Ann Lee"]),
    ("By Ann Lee, AP Science Writer", "en", ["a Ann Lee"]),
    ("By Ann Lee, Associated Press", "en", ["a Ann Lee", "g AP"]),
    ("AP Science Writer Ann Lee", "en", ["a Ann Lee"]),
    ("Ann Lee Staff Writer", "en", ["a Ann Lee"]),
    ("Ann Lee, Staff Writer", "en", ["a Ann Lee"]),
    ("Ann Lee Political Editor", "en", ["a Ann Lee"]),
    ("Ann Lee (Morning Mail)", "en", ["a Ann Lee"]),
    ("Ann Lee - Reuters", "en", ["a Ann Lee", "g Reuters"]),
    ("Ann Lee, Reuters", "en", ["a Ann Lee", "g Reuters"]),
    ("Ann Lee (Reuters)", "en", ["a Ann Lee", "g Reuters"]),
    ("Ann Lee/AFP", "en", ["a Ann Lee", "g AFP"]),
    ("Staff/AFP", "en", ["g AFP"]),
    ("Reuters", "en", ["g Reuters"]),
    ("By The Associated Press", "en", ["g AP"]),
    ("AFP/Reuters/dpa", "", ["g AFP", "g Reuters", "g dpa"]),
    ("Укрінформ", "uk", ["g Ukrinform"]),
    ("新华社", "zh", ["g Xinhua"]),
    ("Apa Sherpa", "en", ["a Apa Sherpa"]),
    # nobody
    ("", "", []),
    ("   ", "", []),
    ("Staff", "en", []),
    ("Editorial board", "en", []),
    ("By Staff Reporter", "en", []),
    ("admin", "", []),
    ("Web desk", "en", []),
    ("Our correspondent", "en", []),
    ("noreply@mail.example", "", []),
    ("https://mail.example/ann", "", []),
    ("Redaktion", "de", []),
    ("La rédaction", "fr", []),
    ("Redacción", "es", []),
    ("Редакція", "uk", []),
    ("هيئة التحرير", "ar", []),
    ("编辑部", "zh", []),
    ("12345", "", []),
    # feeds
    ("ann@mail.example (Ann Lee)", "", ["a Ann Lee"]),
    ("Ann Lee (ann@mail.example)", "", ["a Ann Lee"]),
    ("Ann Lee <ann@mail.example>", "", ["a Ann Lee"]),
    ("ann@mail.example (Ann Lee), bo@mail.example (Bo Li)", "", ["a Ann Lee", "a Bo Li"]),
    ("noreply@mail.example (Ann Lee and Bo Li)", "", ["a Ann Lee", "a Bo Li"]),
    # German
    ("Von Anna Müller", "de", ["a Anna Müller"]),
    ("Von Anna Müller und Jörg Groß", "de", ["a Anna Müller", "a Jörg Groß"]),
    ("von Anna Müller, Berlin", "de", ["a Anna Müller"]),
    ("Von Anna Müller in Berlin", "de", ["a Anna Müller"]),
    ("Text: Anna Berg, Fotos: Bo Li", "de", ["a Anna Berg", "p Bo Li"]),
    ("Anna Berg (Text) und Bo Li (Fotos)", "de", ["a Anna Berg", "p Bo Li"]),
    ("Anna Berg/dpa", "de", ["a Anna Berg", "g dpa"]),
    ("Von unserer Korrespondentin Anna Berg", "de", ["a Anna Berg"]),
    # Romance languages
    ("Par Élodie Dupont et Luc Petit", "fr", ["a Élodie Dupont", "a Luc Petit"]),
    ("Par Élodie Dupont (avec AFP)", "fr", ["a Élodie Dupont"]),
    ("Par Élodie Dupont, envoyée spéciale à Kiev", "fr", ["a Élodie Dupont"]),
    ("Por Ana López y Luis Pérez", "es", ["a Ana López", "a Luis Pérez"]),
    ("Por Ana López en Madrid", "es", ["a Ana López"]),
    ("Por Ana Sousa e Rui Costa", "pt", ["a Ana Sousa", "a Rui Costa"]),
    ("di Mario Rossi", "it", ["a Mario Rossi"]),
    ("di Mario Rossi e Anna Bianchi", "it", ["a Mario Rossi", "a Anna Bianchi"]),
    ("Dal nostro inviato Mario Rossi", "it", ["a Mario Rossi"]),
    # Dutch, Polish, Turkish
    ("Door Jan de Vries en Anna Bos", "nl", ["a Jan de Vries", "a Anna Bos"]),
    ("Autor: Jan Kowalski", "pl", ["a Jan Kowalski"]),
    ("Jan Kowalski i Anna Nowak", "pl", ["a Jan Kowalski", "a Anna Nowak"]),
    ("Yazan: Ayşe Yılmaz ve Ali Kaya", "tr", ["a Ayşe Yılmaz", "a Ali Kaya"]),
    # Cyrillic
    ("Автор: Іван Франк та Леся Косач", "uk", ["a Іван Франк", "a Леся Косач"]),
    ("Автори: Іван Франк, Леся Косач і Ольга Кобил", "uk", ["a Іван Франк", "a Леся Косач", "a Ольга Кобил"]),
    ("Текст: Анна Кузнец, фото: Иван Лебедь", "ru", ["a Анна Кузнец", "p Иван Лебедь"]),
    ("ИВАН ЛЕБЕДЬ", "ru", ["a Иван Лебедь"]),
    # right to left
    ("بقلم: أحمد سالم", "ar", ["a أحمد سالم"]),
    ("كتب أحمد سالم", "ar", ["a أحمد سالم"]),
    ("أحمد سالم، ليلى حداد", "ar", ["a أحمد سالم", "a ليلى حداد"]),
    ("\u200fأحمد سالم\u200f", "ar", ["a أحمد سالم"]),
    ("מאת: דנה כהן", "he", ["a דנה כהן"]),
    # Chinese, Japanese, Korean
    ("记者 王小明", "zh", ["a 王小明"]),
    ("记者：王小明、李四光", "zh", ["a 王小明", "a 李四光"]),
    ("文/张三 图/李四", "zh", ["a 张三", "p 李四"]),
    ("作者：王小明 编辑：李四", "zh", ["a 王小明", "e 李四"]),
    ("文・写真：田中花子", "ja", ["a 田中花子"]),
    ("田中花子、ジョン・スミス", "ja", ["a 田中花子", "a ジョン・スミス"]),
    ("김민수, 이영희", "ko", ["a 김민수", "a 이영희"]),
    # other roles
    ("Ann Lee; Illustrations by Bo Li; Edited by Cy Diaz", "en", ["a Ann Lee", "i Bo Li", "e Cy Diaz"]),
    ("By Ann Lee. Translated from the French by Bo Li", "en", ["a Ann Lee", "t Bo Li"]),
    ("By Ann Lee, with reporting by Bo Li", "en", ["a Ann Lee", "c Bo Li"]),
    ("By Ann Lee | Photographs by Bo Li and Cy Diaz", "en", ["a Ann Lee", "p Bo Li", "p Cy Diaz"]),
    ("Photo: Bo Li/AFP", "en", ["p Bo Li", "g AFP"]),
]

TRAILERS = [
    (
        "Reporting was contributed by Ann Ó Briain, Bo Li, Cy Diaz And Di Eck.",
        "en",
        ["c Ann Ó Briain", "c Bo Li", "c Cy Diaz", "c Di Eck"],
    ),
    ("Additional reporting by Ann Lee in Kyiv and Bo Li in Lviv", "en", ["c Ann Lee", "c Bo Li"]),
    ("With reporting from Ann Lee in Kyiv.", "en", ["c Ann Lee"]),
    ("Ann Lee contributed to this report.", "en", ["c Ann Lee"]),
    ("Ann Lee and Bo Li contributed reporting from Kyiv.", "en", ["c Ann Lee", "c Bo Li"]),
    (
        "(Reporting by Ann Lee in Kyiv; Additional reporting by Bo Li; Editing by Cy Diaz and Di Eck)",
        "en",
        ["a Ann Lee", "c Bo Li", "e Cy Diaz", "e Di Eck"],
    ),
    ("(Reporting by Ann Lee. Editing by Cy Diaz.)", "en", ["a Ann Lee", "e Cy Diaz"]),
    ("Edited by Ann Lee", "en", ["e Ann Lee"]),
    ("Photographs by Ann Lee and Bo Li", "en", ["p Ann Lee", "p Bo Li"]),
    ("Photos: Ann Lee/Reuters", "en", ["p Ann Lee", "g Reuters"]),
    ("Translated from the French by Ann Lee.", "en", ["t Ann Lee"]),
    ("— By Ann Lee", "en", ["a Ann Lee"]),
    ("Mit Material von dpa/AFP", "de", ["g dpa", "g AFP"]),
    ("mit dpa", "de", ["g dpa"]),
    ("Redaktion: Anna Berg", "de", ["e Anna Berg"]),
    ("Mitarbeit: Anna Berg, Jörg Groß", "de", ["c Anna Berg", "c Jörg Groß"]),
    ("Übersetzung: Anna Berg", "de", ["t Anna Berg"]),
    ("Aus dem Englischen übersetzt von Anna Berg.", "de", ["t Anna Berg"]),
    ("Avec AFP", "fr", ["g AFP"]),
    ("(avec AFP et Reuters)", "fr", ["g AFP", "g Reuters"]),
    ("Traduit de l’anglais par Élodie Dupont", "fr", ["t Élodie Dupont"]),
    ("Contribuyó a este reporte Ana López.", "es", ["c Ana López"]),
    ("Ana López contribuyó a este reporte.", "es", ["c Ana López"]),
    ("Con información de EFE", "es", ["g EFE"]),
    ("Ha collaborato Mario Rossi", "it", ["c Mario Rossi"]),
    ("Traduzione di Mario Rossi", "it", ["t Mario Rossi"]),
    ("Edição: Ana Sousa", "pt", ["e Ana Sousa"]),
    ("Com informações da Reuters", "pt", ["g Reuters"]),
    ("Met medewerking van Jan de Vries.", "nl", ["c Jan de Vries"]),
    ("Vertaling: Anna Bos", "nl", ["t Anna Bos"]),
    ("Współpraca: Jan Kowalski", "pl", ["c Jan Kowalski"]),
    ("Tłumaczenie: Anna Nowak", "pl", ["t Anna Nowak"]),
    ("Матеріал підготували Іван Франк та Леся Косач.", "uk", ["a Іван Франк", "a Леся Косач"]),
    ("Переклад: Леся Косач", "uk", ["t Леся Косач"]),
    ("Фото: Укрінформ", "uk", ["g Ukrinform"]),
    ("При участии Анны Кузнец", "ru", ["c Анны Кузнец"]),
    ("Редактор: Иван Лебедь", "ru", ["e Иван Лебедь"]),
    ("ساهم في هذا التقرير أحمد سالم", "ar", ["c أحمد سالم"]),
    ("ترجمة: ليلى حداد", "ar", ["t ليلى حداد"]),
    ("Çeviri: Ayşe Yılmaz", "tr", ["t Ayşe Yılmaz"]),
    ("责任编辑：王小明", "zh", ["e 王小明"]),
    ("翻訳：田中花子", "ja", ["t 田中花子"]),
]

NOT_CREDITS = [
    "The minister arrived by train.",
    "By Monday.",
    "By hand and by heart.",
    "Edited by hand.",
    "Translated by Google.",
    "With the war in its third year, nobody in Kyiv expects an early peace.",
    "With Ann Lee in Kyiv",
    "Reporting by the committee found that 12 houses had burned.",
    "Reporting was contributed by people who asked not to be named because they feared reprisals from both sides.",
    "Photographs by the hundred lay on the floor.",
    "Written by her own hand, the letter was never sent.",
    "“Edited by Ann Lee,” she read, and laughed.",
    "Mit Sicherheit wird das nicht das letzte Wort sein.",
    "Von der Leyen sagte am Montag nichts dazu.",
    "Avec le temps, tout s’en va.",
    "Con el tiempo todo cambia.",
    "Com o tempo, tudo muda.",
    "Ann Lee",
    "Editor’s note: this article was updated on Monday.",
    "Edited by Ann Lee, who was born in 1951 and lives in Rome.",
    "Foto: 2026",
    "Автор: ",
]


@pytest.mark.parametrize(("text", "language", "expected"), BYLINES, ids=[row[0][:40] for row in BYLINES])
def test_a_byline_gives_its_people_in_order(text, language, expected):
    assert parse_byline(text, language=language) == credits(*expected)


@pytest.mark.parametrize(("line", "language", "expected"), TRAILERS, ids=[row[0][:40] for row in TRAILERS])
@pytest.mark.parametrize("frame", ["<p>{}</p>", "<p><em>{}</em></p>\n<p></p>", "<p>* {}</p>"])
def test_credits_at_the_end_leave_the_body(line, language, expected, frame):
    body = "<p>First.</p><p>Last word.</p>"

    assert split_trailing_credits(body + frame.replace("{}", line), language=language) == (
        body,
        credits(*expected),
    )


@pytest.mark.parametrize("line", NOT_CREDITS)
@pytest.mark.parametrize("language", ["", "en", "de", "es"])
def test_what_is_not_clearly_a_credit_stays(line, language):
    body = f"<p>First.</p><p>{line}</p>"

    assert split_trailing_credits(body, language=language) == (body, ())


def test_several_paragraphs_of_credits_keep_their_order():
    body, found = split_trailing_credits(
        "<p>Last word.</p><p>Additional reporting by Ann Lee.</p><p>Photographs by Bo Li.</p><p>Edited by Cy Diaz</p>"
    )

    assert body == "<p>Last word.</p>"
    assert found == credits("c Ann Lee", "p Bo Li", "e Cy Diaz")


def test_a_credit_after_a_line_break_leaves_the_paragraph_before_it():
    body, found = split_trailing_credits("<p>First.</p><p>Last word.<br><br>Edited by Cy Diaz</p>")

    assert body == "<p>First.</p><p>Last word.</p>"
    assert found == credits("e Cy Diaz")


def test_a_credit_in_the_middle_stays():
    body = "<p>Photographs by Bo Li.</p><p>Last word.</p>"

    assert split_trailing_credits(body) == (body, ())


@pytest.mark.parametrize(
    "body", ["", "<p></p>", "text only", "<p>a", "<p>Edited by Ann Lee", "</p>", "<p>" * 50]
)
def test_an_odd_body_comes_back_as_it_was(body):
    assert split_trailing_credits(body) == (body, ())


@pytest.mark.parametrize(
    ("text", "outlet"),
    [
        ("Morning Mail", "Morning Mail"),
        ("By Morning Mail", "Morning Mail"),
        ("The Morning Mail", "Morning Mail"),
        ("MORNING MAIL", "Morning Mail"),
        ("morningmail.com", "Morning Mail"),
        ("Morning Mail Staff", "Morning Mail"),
        ("Morning Mail Online", "Morning Mail"),
        ("Morning Mail", "The Morning Mail"),
        ("Укрінформ", "Укрінформ"),
        ("朝日日報", "朝日日報"),
    ],
)
def test_the_outlet_is_never_made_a_person(text, outlet):
    assert parse_byline(text, outlet=outlet) == ()


def test_the_outlet_beside_a_person_is_left_out():
    assert parse_byline("Ann Lee, Morning Mail", outlet="Morning Mail") == credits("a Ann Lee")


def test_forty_authors_are_forty_authors():
    names = [f"{first}a {last}berg" for first in ("Mari", "Ann", "Iv", "Le", "Nor") for last in "ABCDEFGH"]

    found = parse_byline("By " + ", ".join(names[:-1]) + " and " + names[-1], language="en")

    assert [credit.name for credit in found] == names


@pytest.mark.parametrize(
    "text",
    [
        "a, " * 50000,
        "By " * 50000,
        "(" * 50000,
        "and " * 50000,
        "Photos: " * 20000,
        "ann@" * 50000,
        "A. " * 50000,
        "文/" * 50000,
        " " * 100000 + "x",
        "Ann Lee in " * 20000,
        "Ann staff writer " * 10000,
        "@" * 100000,
        "a@b." * 50000,
    ],
    ids=range(13),
)
def test_only_the_beginning_of_an_endless_byline_is_read(text, monkeypatch):
    lengths: list[int] = []
    parts = bylines._parts
    monkeypatch.setattr(bylines, "_parts", lambda read: lengths.append(len(read)) or parts(read))

    found = parse_byline(text)

    assert all(length <= bylines.MAX_CHARS for length in lengths)
    assert all(len(credit.name) <= bylines.MAX_NAME_CHARS + 5 for credit in found)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from(
            ["By ", "Ann Lee", ", ", " and ", "(", ")", "AFP", "Photos: ", "/", "文", "@", " in "]
        )
    ).map("".join)
)
def test_any_text_gives_clean_names_or_none(text):
    for credit in parse_byline(text):
        assert credit.name == credit.name.strip()
        assert credit.name
        assert not re.search(r"[\x00-\x1f<>@]", credit.name)


def test_roles_are_the_words_that_are_stored():
    assert {role.value for role in Role} == {
        "author", "contributing_reporter", "photographer", "illustrator", "editor", "translator", "agency",
    }  # fmt: skip


def test_the_outlet_behind_a_stroke_is_not_a_person() -> None:
    assert parse_byline("Ann Lee / Field & Orbit", outlet="Field & Orbit") == credits("a Ann Lee")
