"""Workbooks as a spreadsheet computes them: LibreOffice, given the formulas without their stored results."""

import re
import subprocess
import zipfile

import openpyxl
import pytest

from tests.support.programs import need


def formulas(book):
    """Return (sheet, cell) of every formula."""
    return [(sheet.title, cell.coordinate) for sheet in book for row in sheet for cell in row if cell.data_type == "f"]


def computed(paths, folder):
    """Return the workbooks of some files, with what LibreOffice computes in the place of formulas."""
    soffice = need("soffice", "install libreoffice-calc")
    (folder / "blank").mkdir()
    for path in paths:  # without stored values nothing is left but to compute
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(folder / "blank" / path.name, "w") as target:
            for name in source.namelist():
                target.writestr(name, re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", source.read(name)))
    command = [soffice, "--headless", "--norestore", f"-env:UserInstallation={(folder / 'profile').as_uri()}"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", folder / "out"]
    command += [folder / "blank" / path.name for path in paths]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [openpyxl.load_workbook(folder / "out" / path.name, data_only=True) for path in paths]


def differences(path, found):
    """Return (computed, published) of every formula of a file that does not give the value that is stored with it."""
    book, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    pairs = {
        (title, cell): (found[title][cell].value, values[title][cell].value) for title, cell in formulas(book)
    }  # fmt: skip
    return {
        place: (one, other) for place, (one, other) in pairs.items()
        if one != (other if isinstance(other, str) else pytest.approx(other, rel=1e-12))
    }  # fmt: skip
