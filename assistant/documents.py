"""Attached files as text: txt, md, csv, pdf and docx, each read within bounds.

A visitor's file may be anything, on purpose or not. Its type is checked by name and by content, what it
unpacks to is measured before a parser sees it, and whatever goes wrong leaves here as a DocumentError.
"""

from __future__ import annotations

import csv
import io
import re
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from assistant.applications import Document
from assistant.errors import DocumentError
from assistant.settings import MEGABYTE, Limits

MAX_NAME = 60  # characters of a file name in a sentence or on the page
MAX_CELLS = 200_000  # of a csv file
MAX_UNPACKED = 50 * MEGABYTE  # bytes of a docx's members together, and of a single stream of a PDF
MAX_RATIO = 200  # unpacked to packed; Word's own files stay below about 30
MAX_MEMBERS = 5_000  # files within a docx
MAX_NODES = 3_000_000  # tags and attributes of a docx, about 130 bytes of memory each
# A text that is more than this share of control characters is binary (the share that `perl -B` goes by).
MAX_CONTROLS = 0.3

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_BREAK = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# How files that are often renamed by mistake begin.
_SIGNATURES = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip file",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x1f\x8b": "a gzip file",
    b"\x7fELF": "a program",
}
# ECMA-376 part 2 forbids document type declarations in a package; entities are how a small XML file grows.
_DOCTYPES = tuple("<!DOCTYPE".encode(encoding) for encoding in ("ascii", "utf-16-le", "utf-16-be"))
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


class _Unreadable(Exception):  # noqa: N818  (reads as what it is)
    """Why a file is refused: the rest of a sentence that begins with the file's name."""


def read_document(path: Path, limits: Limits, name: str | None = None) -> Document:
    """Read a file as text. `name` is what the visitor calls it and decides its type; default: the path's own.

    A PDF has its pages (a page without text is empty); every other type has one page. Raises DocumentError,
    and nothing else, for a file that is of another type, damaged, encrypted, without text or over a limit.
    `limits.deadline` bounds the seconds that a PDF may take.
    """
    name = name if name is not None else path.name
    shown = _display_name(name)
    try:
        pages = _reader(shown)(_read_bytes(path, limits), limits)
        characters = sum(map(len, pages))
        if characters > limits.document_characters:
            raise _Unreadable(_over(characters, "characters", limits.document_characters))
        if not characters:
            raise _Unreadable(
                "holds no text; expected one with text that can be selected and copied (a scan has none)"
            )
    except _Unreadable as error:
        raise DocumentError(f"“{shown}” {error}.") from error.__cause__
    return Document(shown, pages)


def clean_text(text: str) -> str:
    """Make every kind of line break a newline; drop control characters except tabs, and lone surrogates."""
    return _CONTROL.sub("", _LINE_BREAK.sub("\n", text))


def _display_name(name: str) -> str:
    """The last part of a path, without invisible characters (they can turn `txt.exe` around), shortened."""
    visible = "".join(
        c for c in re.split(r"[/\\]", name)[-1] if unicodedata.category(c) not in ("Cc", "Cf", "Cs")
    )
    visible = " ".join(visible.split()) or "document"
    # Cut in the middle: the end says the type.
    return visible if len(visible) <= MAX_NAME else f"{visible[: MAX_NAME - 21]}…{visible[-20:]}"


def _read_bytes(path: Path, limits: Limits) -> bytes:
    try:
        if not path.is_file():
            raise _Unreadable("is not a file")
        with path.open("rb") as file:
            data = file.read(limits.document_bytes + 1)
            size = path.stat().st_size
    except (OSError, ValueError) as error:  # ValueError: NUL in the path
        raise _Unreadable("cannot be opened; expected a readable file") from error
    if len(data) > limits.document_bytes:
        raise _Unreadable(_over(size, "bytes", limits.document_bytes))
    if not data:
        raise _Unreadable("is empty; expected a file with text")
    return data


def _over(value: int, unit: str, limit: int) -> str:
    return f"has {value:,} {unit}; expected at most {limit:,}"


@contextmanager
def _foreign_parser(kind: str) -> Iterator[None]:
    """Parsers of hostile files raise whatever they stumble over: KeyError, struct.error, RecursionError, …"""
    try:
        yield
    except _Unreadable:
        raise
    except Exception as error:  # see above; nothing but the libraries' calls stands inside
        raise _Unreadable(f"is damaged; expected an intact {kind} file") from error


# --- plain text ---------------------------------------------------------------------------------------------


def _read_text(data: bytes, limits: Limits) -> tuple[str, ...]:
    return (clean_text(_decode(data)).strip(),)


def _decode(data: bytes) -> str:
    for signature, kind in _SIGNATURES.items():
        if data.startswith(signature):
            raise _Unreadable(f"is {kind} by its content; expected text")
    for encoding, max_controls in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if len(_CONTROL.findall(text)) <= max_controls * len(text):
            return text
    raise _Unreadable("is not text; expected UTF-8 (or Windows-1252)")


def _encodings(data: bytes) -> tuple[tuple[str, float], ...]:
    """What to try, with the share of control characters up to which the result passes for text."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return (("utf-16", MAX_CONTROLS),)
    # Hardly any bytes are UTF-8 by chance, nearly all are Windows-1252: there no control character passes.
    return (("utf-8-sig", MAX_CONTROLS), ("cp1252", 0.0))


def _read_csv(data: bytes, limits: Limits) -> tuple[str, ...]:
    """One line a row, cells separated by tabs."""
    text = clean_text(_decode(data))
    header = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t|", key=header.count)
    lines, cells = [], 0
    try:
        for row in csv.reader(io.StringIO(text), delimiter=delimiter, strict=True):
            cells += len(row)
            if cells > MAX_CELLS:
                raise _Unreadable(f"has more than {MAX_CELLS:,} cells; expected a smaller table")
            lines.append("\t".join(" ".join(cell.split()) for cell in row))
    except csv.Error as error:
        raise _Unreadable(f"is no table at line {len(lines) + 1} ({error}); expected csv") from error
    return ("\n".join(lines).strip(),)


# --- PDF ----------------------------------------------------------------------------------------------------


def _read_pdf(data: bytes, limits: Limits) -> tuple[str, ...]:
    if not data[:1024].lstrip(b"\xef\xbb\xbf\0\t\r\n ").startswith(b"%PDF-"):
        raise _Unreadable("is not a PDF by its content; expected a file that begins with %PDF")
    from pypdf import PdfReader, apply_configuration
    from pypdf.errors import DependencyError, LimitReachedError

    check_time = _deadline(limits.deadline)
    bounds = apply_configuration(
        zlib_maximum_output_length=MAX_UNPACKED,
        lzw_maximum_output_length=MAX_UNPACKED,
        run_length_maximum_output_length=MAX_UNPACKED,
        array_based_stream_maximum_output_length=MAX_UNPACKED,
        # A tree may have as many inner nodes as leaves.
        page_tree_maximum_entries=2 * limits.document_pages + 2,
    )
    with _foreign_parser("PDF"), bounds:
        try:
            reader = PdfReader(io.BytesIO(data))
            # Many files have an owner's password only, and open with the empty one.
            if reader.is_encrypted and not reader.decrypt(""):
                raise _Unreadable("is encrypted; expected a PDF that opens without a password")
            tree = reader.root_object["/Pages"]
            if isinstance(tree, dict):
                _check_page_count(tree.get("/Count"), limits)  # as declared: known at once
            _check_page_count(len(reader.pages), limits)  # as counted: walks the tree
            pages, characters = [], 0
            for page in reader.pages:
                check_time()
                # Also called before each drawing operator, so that one endless page is given up, too.
                pages.append(clean_text(page.extract_text(visitor_operand_before=check_time)).strip())
                characters += len(pages[-1])
                if characters > limits.document_characters:
                    break  # the caller says so
        except LimitReachedError as error:
            raise _Unreadable("unpacks to more than is allowed; expected a simpler PDF") from error
        except DependencyError as error:  # encrypted with AES, which needs a further library
            raise _Unreadable("is encrypted; expected a PDF without encryption") from error
    return tuple(pages)


def _check_page_count(count: object, limits: Limits) -> None:
    if isinstance(count, int) and count > limits.document_pages:
        raise _Unreadable(_over(int(count), "pages", limits.document_pages))


def _deadline(seconds: float) -> Callable[..., None]:
    """A function that takes any arguments and raises once the time is over."""
    end = time.monotonic() + seconds

    def check(*_: object) -> None:
        if time.monotonic() > end:
            raise _Unreadable(f"takes longer than {seconds:g} seconds to read; expected a simpler file")

    return check


# --- Word ---------------------------------------------------------------------------------------------------


def _read_docx(data: bytes, limits: Limits) -> tuple[str, ...]:
    """The body's text without headers, footers and notes. A blank line ends a paragraph, a tab a cell."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise _Unreadable("is encrypted or an old Word file; expected a .docx without a password")
    import docx

    with _foreign_parser("Word (.docx)"):
        package = _unpacked(data)
        body = docx.Document(package).element.body
        # The same text once more: for programs without text boxes, and where it stood before it was moved.
        for again in list(body.iter(_FALLBACK, _WORD + "moveFrom")):
            again.getparent().remove(again)
        # Not through python-docx's tables: a cell there is repeated as often as its `gridSpan` says.
        text = "".join(_piece(element) for element in body.iter(*(_WORD + tag for tag in _PIECES)))
    lines = (line.strip() for line in clean_text(text).split("\n"))
    return (re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(),)


# What a tag stands for in the text; None: its own text.
_PIECES = {
    "t": None,
    "noBreakHyphen": "-",
    "tab": "\t",
    "br": "\n",
    "cr": "\n",
    "p": "\n\n",
    "tr": "\n",
    "tc": "\t",
}


def _piece(element: object) -> str:
    tag = element.tag.removeprefix(_WORD)  # type: ignore[attr-defined]  # an lxml element
    parent = element.getparent().tag.removeprefix(_WORD)  # type: ignore[attr-defined]
    if (tag, parent) == ("tab", "tabs"):
        return ""  # the definition of a tab stop
    if (tag, parent) == ("p", "tc"):
        return " "
    return _PIECES[tag] or element.text or ""  # type: ignore[attr-defined]


def _unpacked(data: bytes) -> io.BytesIO:
    """The same zip file without compression, after everything in it has been measured.

    python-docx reads each member in one go, and `ZipFile.read` inflates before it looks at the declared size.
    """
    if not data.startswith(b"PK\x03\x04"):
        raise _Unreadable("is not a Word file by its content; expected .docx")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        if "word/document.xml" not in archive.namelist():
            raise _Unreadable("is a zip file, but not a Word file; expected .docx")
        size = sum(member.file_size for member in members)
        if size > min(MAX_UNPACKED, MAX_RATIO * len(data)) or len(members) > MAX_MEMBERS:
            raise _Unreadable(f"unpacks to {size:,} bytes in {len(members):,} parts; expected no zip bomb")
        # Other methods are foreign to the format, and cannot be inflated piece by piece.
        if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
            raise _Unreadable("is packed in a way that Word does not use; expected .docx")
        contents = {member.filename: _inflate(archive, member) for member in members}
    _check_xml([content for name, content in contents.items() if name.endswith((".xml", ".rels"))])
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as copy:
        for name, content in contents.items():
            copy.writestr(name, content)
    package.seek(0)
    return package


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes. Inflates no more than it declares; raises BadZipFile when its checksum differs."""
    with archive.open(member) as stream:
        return stream.read(member.file_size + 1)


def _check_xml(parts: list[bytes]) -> None:
    if any(doctype in part for part in parts for doctype in _DOCTYPES):
        raise _Unreadable("declares XML entities; expected a .docx as Word writes it")
    if sum(part.count(b"<") + part.count(b"=") for part in parts) > MAX_NODES:
        raise _Unreadable(f"has more than {MAX_NODES:,} XML tags; expected a simpler file")


_Reader: TypeAlias = Callable[[bytes, Limits], tuple[str, ...]]
_READERS: dict[str, _Reader] = {
    ".txt": _read_text,
    ".md": _read_text,
    ".csv": _read_csv,
    ".pdf": _read_pdf,
    ".docx": _read_docx,
}


def _reader(name: str) -> _Reader:
    reader = _READERS.get(Path(name).suffix.lower())
    if reader is None:
        raise _Unreadable(f"is of a type that cannot be read; expected {', '.join(_READERS)}")
    return reader
