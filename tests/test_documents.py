"""Attached files: what is read from good ones, and that bad ones are refused with one sentence, fast."""

from __future__ import annotations

import io
import time
import zipfile
import zlib
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from assistant import documents
from assistant.documents import clean_text, read_document
from assistant.errors import DocumentError
from assistant.settings import Limits

LIMITS = Limits()


def pdf_bytes(pages: list[bytes], declared: int | None = None) -> bytes:
    """A small PDF; each item is the content stream of a page, and equal streams are stored once."""
    streams = {content: 4 + i for i, content in enumerate(dict.fromkeys(pages))}
    first = 4 + len(streams)
    kids = b" ".join(b"%d 0 R" % (first + i) for i in range(len(pages)))
    count = len(pages) if declared is None else declared
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for content in streams:
        packed = zlib.compress(content, 9)
        objects.append(
            b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(packed), packed)
        )
    page = b"<< /Type /Page /Parent 2 0 R /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
    objects += [page % streams[content] for content in pages]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, len(out))
    return bytes(out) + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table) + trailer


def words(text: str) -> bytes:
    """A page's content stream that shows `text`."""
    return b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode("cp1252")


def docx_bytes(*paragraphs: str) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def repacked(data: bytes, compression: int = zipfile.ZIP_DEFLATED, **parts: bytes) -> bytes:
    """A docx with other contents: `document=` replaces word/document.xml, another name adds a file."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", compression) as target:
        for info in source.infolist():
            name = Path(info.filename).stem if info.filename == "word/document.xml" else ""
            target.writestr(info.filename, parts.pop(name, None) or source.read(info))
        for name, content in parts.items():
            target.writestr(name, content)
    return out.getvalue()


def refusal(tmp_path: Path, name: str, data: bytes, limits: Limits = LIMITS) -> str:
    """The sentence with which a file is refused."""
    path = tmp_path / "upload"
    path.write_bytes(data)
    with pytest.raises(DocumentError) as caught:
        read_document(path, limits, name)
    sentence = str(caught.value)
    assert sentence.startswith("“") and sentence.endswith(".") and "\n" not in sentence
    assert str(tmp_path) not in sentence
    return sentence


def read(tmp_path: Path, name: str, data: bytes, limits: Limits = LIMITS) -> tuple[str, ...]:
    path = tmp_path / "upload"
    path.write_bytes(data)
    return read_document(path, limits, name).pages


# --- what is read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Olá, ação!\r\nSegunda\rTerceira".encode(), "Olá, ação!\nSegunda\nTerceira"),
        ("\ufeffwith a mark".encode(), "with a mark"),
        ("“naïve” café — 5 €".encode("cp1252"), "“naïve” café — 5 €"),
        ("Windows ‘Unicode’".encode("utf-16"), "Windows ‘Unicode’"),
        (b"nul\x00 bell\x07 tab\t esc\x1b[31m", "nul bell tab\t esc[31m"),
        ("مرحبا 😀 <script>alert(1)</script>".encode(), "مرحبا 😀 <script>alert(1)</script>"),
    ],
)
def test_text_in_the_usual_encodings(tmp_path: Path, data: bytes, text: str) -> None:
    assert read(tmp_path, "a.txt", data) == (text,)
    assert read(tmp_path, "A.MD", data) == (text,)


def test_csv_rows_become_lines_whatever_the_delimiter(tmp_path: Path) -> None:
    expected = ('name\tremark\nAna\tsaid "hi", left',)
    assert read(tmp_path, "t.csv", b'name,remark\nAna,"said ""hi"",\nleft"\n') == expected
    assert read(tmp_path, "t.csv", b'name;remark\r\nAna;"said ""hi"", left"\r\n') == expected


def test_pdf_pages_stay_pages(tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    path.write_bytes(pdf_bytes([words("First page"), b"", words("caf\u00e9, third")]))
    document = read_document(path, LIMITS)
    assert document.name == "report.pdf"
    assert document.pages == ("First page", "", "café, third")


def test_pdf_with_only_an_owner_password_opens(tmp_path: Path) -> None:
    assert read(tmp_path, "a.pdf", encrypted_pdf("")) == ("Secret",)


def test_docx_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Heading")
    document.add_paragraph("One\ttwo\nthree")
    table = document.add_table(2, 2)
    for row, texts in zip(table.rows, (("a", "b"), ("c", "d")), strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.add_paragraph("End").paragraph_format.tab_stops.add_tab_stop(100)
    out = io.BytesIO()
    document.save(out)
    (page,) = read(tmp_path, "a.docx", out.getvalue())
    tidy = [" ".join(line.split(" ")) for line in page.split("\n") if line]
    assert tidy == ["Heading", "One\ttwo", "three", "a\t b", "c\t d", "End"]


def test_a_cell_that_spans_a_billion_columns_is_read_once(tmp_path: Path) -> None:
    wide = (
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:tbl>'
        b'<w:tr><w:tc><w:tcPr><w:gridSpan w:val="1000000000"/></w:tcPr><w:p><w:r><w:t>wide</w:t></w:r></w:p>'
        b"</w:tc></w:tr></w:tbl></w:body></w:document>"
    )
    assert read(tmp_path, "a.docx", repacked(docx_bytes(), document=wide)) == ("wide",)


def test_hyphens_that_keep_a_word_together_and_text_that_was_moved(tmp_path: Path) -> None:
    moved = (
        b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        b"<w:p><w:moveFrom><w:r><w:t>Later.</w:t></w:r></w:moveFrom>"
        b"<w:r><w:t>A well</w:t><w:noBreakHyphen/><w:t>known text.</w:t></w:r></w:p>"
        b"<w:p><w:moveTo><w:r><w:t>Later.</w:t></w:r></w:moveTo></w:p></w:body></w:document>"
    )
    assert read(tmp_path, "a.docx", repacked(docx_bytes(), document=moved)) == (
        "A well-known text.\n\nLater.",
    )


# --- what is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("photo.png", b"\x89PNG", "expected .txt, .md, .csv, .pdf, .docx"),
        ("noextension", b"text", "is of a type that cannot be read"),
        ("old.doc", b"\xd0\xcf\x11\xe0", "is of a type that cannot be read"),
        ("a.txt", b"", "is empty"),
        ("a.docx", b"", "is empty"),
        ("a.md", b" \n\t\r\n ", "holds no text"),
        ("a.txt", b"\x00\x01\x02" * 50, "is not text"),
        ("a.txt", bytes(range(256)), "is not text"),
        ("a.txt", pdf_bytes([words("x")]), "is a PDF by its content"),
        ("a.csv", docx_bytes("x"), "is a zip file by its content"),
        ("a.pdf", b"plain text", "begins with %PDF"),
        ("a.pdf", docx_bytes("x"), "begins with %PDF"),
        ("a.pdf", b"%PDF-1.7\n", "is damaged"),
        ("a.pdf", pdf_bytes([words("x")])[:200], "is damaged"),
        ("a.pdf", pdf_bytes([b"0 0 m 100 100 l S"]), "a scan has none"),
        ("a.docx", pdf_bytes([words("x")]), "is not a Word file"),
        ("a.docx", b"PK\x03\x04 and no more", "is damaged"),
        ("a.docx", docx_bytes("x" * 5000)[:-100], "is damaged"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "is encrypted or an old Word file"),
        ("a.docx", docx_bytes(), "holds no text"),
        ("a.csv", b"a,b\n" + b'"' + b"x" * 200_000, "is no table at line 2"),
    ],
)
def test_each_bad_file_gets_its_sentence(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    sentence = refusal(tmp_path, name, data)
    assert sentence.startswith(f"“{name}” ")
    assert reason in sentence


def test_limits(tmp_path: Path) -> None:
    def limited(name: str, data: bytes, **limits: float) -> str:
        return refusal(tmp_path, name, data, Limits(**limits))  # type: ignore[arg-type]

    assert "has 11 bytes; expected at most 10" in limited("a.txt", b"x" * 11, document_bytes=10)
    assert read(tmp_path, "a.txt", b"x" * 10, Limits(document_bytes=10, document_characters=10)) == (
        "x" * 10,
    )
    assert "has 11 characters; expected at most 10" in limited("a.txt", b"x" * 11, document_characters=10)
    pages = pdf_bytes([words("12345")] * 3)
    assert "characters; expected at most 9" in limited("a.pdf", pages, document_characters=9)
    assert "has 3 pages; expected at most 2" in limited("a.pdf", pages, document_pages=2)
    assert "longer than 0 seconds" in limited("a.pdf", pages, deadline=0)


def test_csv_with_too_many_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_CELLS", 6)
    assert read(tmp_path, "a.csv", b"a,b\n" * 3)
    assert "more than 6 cells" in refusal(tmp_path, "a.csv", b"a,b\n" * 4)


@pytest.mark.parametrize("declared", [None, 5, -1])
def test_5000_pages_are_refused_fast_even_when_the_count_lies(tmp_path: Path, declared: int | None) -> None:
    data = pdf_bytes([words("page")] * 5000, declared)
    start = time.monotonic()
    sentence = refusal(tmp_path, "long.pdf", data)
    assert time.monotonic() - start < 2
    assert (
        "has 5,000 pages; expected at most 1,000" if declared is None else "more than is allowed"
    ) in sentence


def test_a_page_that_draws_without_end_is_given_up(tmp_path: Path) -> None:
    data = pdf_bytes([b"BT /F1 12 Tf " + b"(a) Tj " * 150_000 + b"ET"])
    assert len(data) < 5_000
    assert "longer than 0.5 seconds" in refusal(tmp_path, "bomb.pdf", data, Limits(deadline=0.5))


def test_pdf_stream_that_inflates_a_thousandfold(tmp_path: Path) -> None:
    data = pdf_bytes([b" " * (documents.MAX_UNPACKED + 1)])
    assert len(data) < 100_000
    assert "unpacks to more than is allowed" in refusal(tmp_path, "bomb.pdf", data)


def encrypted_pdf(user_password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf_bytes([words("Secret")]))))
    writer.encrypt(user_password, owner_password="owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_encrypted_pdf(tmp_path: Path) -> None:
    assert "is encrypted" in refusal(tmp_path, "a.pdf", encrypted_pdf("password"))


def test_zip_bombs_named_docx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = repacked(docx_bytes("x"), bomb=b"\0" * (documents.MAX_UNPACKED + 1))
    assert len(bomb) < 200_000
    assert "no zip bomb" in refusal(tmp_path, "a.docx", bomb)
    # Small, yet packed too well to be a letter.
    assert "no zip bomb" in refusal(tmp_path, "a.docx", repacked(docx_bytes("x"), bomb=b"\0" * 20_000_000))
    assert "does not use" in refusal(
        tmp_path, "a.docx", repacked(docx_bytes("x"), zipfile.ZIP_BZIP2, bomb=b"\0" * 100)
    )
    monkeypatch.setattr(documents, "MAX_MEMBERS", 20)
    many = repacked(docx_bytes("x"), **{f"part{i}": b"x" for i in range(20)})
    assert "no zip bomb" in refusal(tmp_path, "a.docx", many)


def test_zip_bomb_that_understates_its_size(tmp_path: Path) -> None:
    size = 40_000_000
    honest = repacked(docx_bytes("x"), bomb=b"\0" * size)
    lying = honest.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != honest
    assert "is damaged" in refusal(tmp_path, "a.docx", lying)


def test_zip_that_is_no_word_file(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    assert "is a zip file, but not a Word file" in refusal(tmp_path, "a.docx", out.getvalue())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_entity_bomb(tmp_path: Path, encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(9))
    xml = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE w [<!ENTITY l0 "ha">{laughs}]><w>&l9;</w>'
    data = repacked(docx_bytes("x"), document=xml.encode(encoding))
    assert "declares XML entities" in refusal(tmp_path, "a.docx", data)


def test_docx_of_nothing_but_tags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_NODES", 100)
    assert "more than 100 XML tags" in refusal(tmp_path, "a.docx", docx_bytes("x"))


@pytest.mark.parametrize("make", [lambda p: p / "missing.txt", lambda p: p, lambda p: Path("nul\0.txt")])
def test_what_is_no_file(tmp_path: Path, make: object) -> None:
    with pytest.raises(DocumentError, match=r"is not a file|cannot be opened"):
        read_document(make(tmp_path), LIMITS, "a.txt")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        (r"C:\Users\ana\notes.txt", "notes.txt"),
        ("inno\u202etxt.exe\n.txt", "innotxt.exe.txt"),
        ("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt"),
        ("a\0b\ud800.txt", "ab.txt"),
        ("n" * 300 + ".txt", "n" * 39 + "…" + "n" * 16 + ".txt"),
    ],
)
def test_the_name_is_shown_short_and_visible(tmp_path: Path, name: str, shown: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(b"text")
    assert read_document(path, LIMITS, name).name == shown
    assert len(shown) <= documents.MAX_NAME


# --- anything at all ----------------------------------------------------------------------------------------

GOOD = {
    ".txt": b"some text",
    ".md": b"# text",
    ".csv": b"a,b\n1,2\n",
    ".pdf": pdf_bytes([words("some text")]),
    ".docx": docx_bytes("some text"),
}
anything = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def survive(tmp_path: Path, name: str, data: bytes) -> None:
    """A file is read or refused; nothing else is raised."""
    path = tmp_path / "upload"
    path.write_bytes(data)
    try:
        document = read_document(path, LIMITS, name)
    except DocumentError as error:
        assert str(error).endswith(".")
    else:
        assert document.text.strip()
        assert clean_text(document.text) == document.text
        document.text.encode()


@pytest.mark.parametrize("suffix", GOOD)
@given(data=st.binary(max_size=400), head=st.sampled_from([b"", b"%PDF-1.4\n", b"PK\x03\x04"]))
@anything
def test_random_bytes(tmp_path: Path, suffix: str, data: bytes, head: bytes) -> None:
    survive(tmp_path, "a" + suffix, head + data)


@pytest.mark.parametrize("suffix", GOOD)
@given(position=st.floats(0, 1), patch=st.binary(max_size=8), cut=st.booleans())
@example(position=0.5, patch=b"", cut=True)
@anything
def test_damaged_files(tmp_path: Path, suffix: str, position: float, patch: bytes, cut: bool) -> None:
    good = GOOD[suffix]
    at = int(position * len(good))
    survive(tmp_path, "a" + suffix, good[:at] + patch + (b"" if cut else good[at + len(patch) :]))


@given(
    xml=st.text(max_size=60),
    tag=st.sampled_from(["w:p", "w:tbl", "w:tc", "w:t", "w:gridSpan", "mc:Fallback"]),
)
@anything
def test_random_markup_in_a_docx(tmp_path: Path, xml: str, tag: str) -> None:
    body = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<w:body><{tag}>{xml}</{tag}></w:body></w:document>"
    )
    data = repacked(GOOD[".docx"], document=body.encode(errors="replace"))
    survive(tmp_path, "a.docx", data)


@given(name=st.text(max_size=80))
@anything
def test_random_names(tmp_path: Path, name: str) -> None:
    survive(tmp_path, name, b"text")


@given(text=st.text())
def test_clean_text_is_stable_and_keeps_letters(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert [c for c in text if c.isalnum()] == [c for c in cleaned if c.isalnum()]
