"""Tables are found in archives, folders, workbooks and JSON objects; what could do harm is refused in one line."""

import base64
import contextlib
import gzip
import io
import json
import stat
import zipfile
import zlib

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.ingest import containers, discovery, fingerprint, json_lists, roles
from abaco.ingest.sources import check_unchanged
from tests.support.exports import DATE, LOANS, PAR, SNAPSHOT, ingest, snapshot, write

BOOK = f"{SNAPSHOT}\n{snapshot()}\n{snapshot('A-2', amount='abc')}\n{snapshot('A-3')}\n".encode()
# A workbook of Excel 97: a hidden sheet with double balances, a cover, and two loans from row 3 on.
XLS = zlib.decompress(base64.b85decode(
    'c-rk)T}TvB6h8B_f9mS`S7;z2Wo8;`FTLnyYQDH;z4Sw{&F%~_xXmuJV^A+ywog$6^-}bZU=O`mz4Su`^%fx*^$-Ms8uZdrP!OR`'
    '=bo9_R?~1n4P(x7&%NKd=bm%t-gEDnoi~%EQ=<>6r(qFwfB^Gm0K7Re4okoRA;5mqWKE~`V=-OYP!#avMtVK)G&td7d&u^C8hE%b'
    'zC;c%gXK7+pg*Z8wd+XxXbuv`=FrZ0G4^<j$Xm#Zp^9c!Mm$cuocKM`enxyRNiGv_N8Ksz7)*xy8~50ee1xx~zGCDYJfbllNYV<G'
    '@QOw9xvQL|>w!*Pl@c4Qqed)(F~CjjRWwCsxCHJ%0l-nD=18QuyL$>MaKp#oyIBkH%{kdGYF+vI$~i#!kA-sIGIBp|;$rzVUIZ8h'
    '^909&IRk}oTV#<Sz=4FEfgt>(Yup1}$<vC?1Ot9c(3h07^ekM5%?OLI;JD7NNDqch0=uHBT!?3EC~YK9DLSGcfUKrtLwZ_?%95cV'
    'Ry9M>m9!Dn5trrkr*u_|t0^f_4v-u&(uSnTs&+COlM<2^R|Hf|$>^`IrKJ_CE~`S+W}&tMmT%~O3N5&wf^=q!kjqd)?NU0qAzYl<'
    'yI<c%VgunQNrovWS($4aTO=^yJR5<7i%G*n{mgVD;hn@Ukku{Jt|nfAnpoElRN9UGBcyYYdh5~8ZlZVL?K$lRY-he4d|Z?H6yAaD'
    '@!sjP731&2qfm#LRL1e_Hv&yu6L<3lqbFgf=Ik5pBk`&~ZaY68qS^<hot{fz4$n7}mC_Si$XOi=@rZ;h5)g@5BqH);kq41Ci@b<@'
    'wpU>ZuL61X+xh}|W$y~lVJjjYpQYwC^BpI>nO%&3CVqu>mDv@Suq%>&fo)eLyM?x0k?hv})our01`pZeV@CK*YaLlmkHt4)WLa}x'
    'xEDZcOmBy5RbjnX)jhBO_Pkzd2&~C@&9%FHWVz&$OD?&zn#A%B%Qk}b?oau|YiC&YU1tu<y!)BtzokQv#GiqGD0@J|T8A@v#m^@2'
    'aE>i*g=3uWg^UiPcO3>HM)MfVJAUz<i_3kU6%P!p-Vw^z|9n34Tx0*g0PJaa4*'
))  # fmt: skip
# A workbook of Excel 97: three loans in the format `#,##0.00 "€"`, the last with an error in days past due.
XLS_OF_EUROS = zlib.decompress(base64.b85decode(
    'c-rk)T}<0m6hHUh(*DaB6gG6ih85iSDx^SE%$%^X>6W0FIX|K#th9yIb!}6+WJ}a_&b{cCX!bB4mKY2sCNoZBq7Q0>__7C$zU)Dx3EPuqK2)'
    'PIGeZ5H^S>>Hl!U@Ge)Kfwew_P1_nv#tx#yhQufD9FoqVtEDlLKSWTW|viyV101$1RQZX!d|<};a0mYgZUzY6Ab%{sJ0e`P?{xf5t=-InXR1'
    'phtQPci(G<e@zjMV+AIR1Dk#i^-pFB|P&h{BEUCT7UKHv;Ss4ZUYv&|LpJi{;va80M`R6fmK!rplV<Za0757uvTn>=vLq+;BCM<U_Ed%a0{>'
    'jc)OP44qY?eiS}0DHce|m-CFWJe<`?3XwgwdAFcnKRW7=}3X6ExJ|lK<4LD43wv7RQB;fhGV3)|?S1iLcjC2QDiY|a!NtcBBv6MT+`T+gp>D'
    '3nfq|q<3pOvyv%1UDX4~6F&p>)9xzZENgMJ|CNry3wXMJP<8@PlD|QAd~gew~mn_;#qBGQwZ2WwgOwK~sFk9t=f834f%)zJ=bz{ZdWjr6&A*'
    ')Cu%Kcn`hpX{1@XTvPOG#*=rEr#(#P`Gx+=%IHRsbo$@Xr*L+K&bi(CKE0IQx(waB483g`x~m|aU>YKieSv<?Kqo~RuH7k{)YU16)HNx))Ei'
    'PxsW+y|G6%)*Ps4rxF0+);V9Xz#ID<JAelyAh5*;|J=sG>c-aWlvmU5)oi}TXiY(F1+XkD7`->0}mCY@A>7Us0-N7+veKe?@VVIpprhzI6x2'
    'pNCS(-KciE5<}1#Yi}ah>{4!V~J!qIzAHgCqoD)v7^a}q(2&D(x^Y;j|M^rQo(o-f(-gFN4Ky0u8ywmj-D>2NYS0a<R(39w}Mr`tOYLUu~yd'
    'xOJI3E_ae_%fn5f%d-fI8vST-<>loO4{o37ieIr6o(ZY;dSq<b>CowW(ZxfDoDPNFpvk~!>&|Z{sTaN$xzUI7kORk;nYt3s<!U?z_6^W({tm'
    'ajlDjcU~4$k&vYekP?#H8nB+oWDHtMpDQNvltnrs39YujQ9imC#fHno)peTSA)?ZCd#N>7GJQ<$8vkXSQcU&!&4y`0TkJ^Kt(134A*5w3c3O'
    'acORwd}9cQLvt95I1J&aZ)1)(avV0{aB2=)j^lZQd(3gMonN_I(6h-}PRXdO<8xAj;&jFFBR#@{>AjXoq)mMRSbA(I?X$L$ZV|dG?JkgZ8B{'
    'KO%)=twZ`9BS4l8yM-6tyM1j#y}>;iys+@5hWe<GDl^~%?pJ1S&XwsI?nbeo3dUaX-9IA?n(97x0_Vq;0qo@0Sf#B=XG9S8iQp-3boYS<MX8'
    '|z)$`edwye?CKED+T7I+0(E8d}HX4`{Ju6wKu>2H7n^go!csX>}-8|b)Gw{5A=}Ecau8jP3gS%jLwyRn6q+N=845a(fILW5z=`rkNfo8Sy<X'
    'mU7CD&`-$&Ve*0$cpDD(bFRonZtaqO~kNtaZytA7f{}S4;&eO9V-JQ3`LH#aZ@aXYgJ>H-9cHpzx8IM06N=$@f(Zy%P=iAfSMJ4!W!p(gDi~'
    'TI|A%%F@rc&B-J%QB|bQl>o%W=49`7OV1*;%HDclBq^te+Ubx<~NB8G;PYtZIE*-Wz-+Jbah-<^0qT-UFdk>yM*gvG4yz{Z_XU!AI#R_J0KL'
    '64w1bSizX+gegh9S7M+n4=sBAvLepE33xfT{%))g5E(*ZfyK$wyNdlc1K%qB|0D1xn0p}Y'
))  # fmt: skip


def zipped(path, *members, **contents):
    """Write a ZIP archive of names or entries with their contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*members, *contents.items()):
            archive.writestr(name, content)
    return path


def refused(path):
    with pytest.raises(InputError) as error:
        discovery.discover(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def names(path):
    found, skipped = discovery.discover(path)
    return [source.name for source in found], {one.name: one.reason for one in skipped}


# Archives


def packed(folder, kind):
    if kind == "gz":
        (folder / "book.csv.gz").write_bytes(gzip.compress(BOOK))
        return folder / "book.csv.gz", "book.csv.gz"
    if kind == "bare":
        (folder / "book.csv").write_bytes(BOOK)
        return folder / "book.csv", "book.csv"
    content = BOOK if kind == "zip" else BOOK.decode().replace("A-1", "Á-1").encode("utf-16")
    return zipped(folder / "all.ZIP", ("2025/book.csv", content)), "all.ZIP/2025/book.csv"


@pytest.mark.parametrize("kind", ["bare", "gz", "zip", "zip of utf-16"])
def test_packed_table_is_read_as_the_bare_one(tmp_path, kind):
    path, name = packed(tmp_path, kind)
    found = ingest(path)
    assert [(row["file"], row["line"]) for row in found.rejects] == [(name, 3)]
    assert sorted(row["loan_id"][1:] for row in found.tape) == ["-1", "-3"]


def test_every_kind_of_table_may_be_packed(tmp_path):
    book = openpyxl.Workbook()
    for row in (SNAPSHOT.split(","), snapshot("X").split(",")):
        book.active.append(row)
    xlsx, parquet = io.BytesIO(), io.BytesIO()
    book.save(xlsx)
    row = dict(zip(SNAPSHOT.split(","), snapshot("P").split(","), strict=True))
    pq.write_table(pa.Table.from_pylist([row]), parquet)
    objects = json.dumps({"data": {"count": 1, "rows": [row | {"loan_id": "J"}]}})
    contents = {"a.xlsx": xlsx.getvalue(), "b.parquet": parquet.getvalue(), "c.json": objects, "d.pdf": b"%PDF"}
    path = zipped(tmp_path / "all.zip", **contents)
    (tmp_path / "e.json.gz").write_bytes(gzip.compress(json.dumps([row | {"loan_id": "G"}]).encode()))
    assert names(tmp_path) == (
        ["all.zip/a.xlsx", "all.zip/b.parquet", "all.zip/c.json", "e.json.gz"], {"all.zip/d.pdf": "not a table"},
    )  # fmt: skip
    assert sorted(row["loan_id"] for row in ingest(tmp_path).tape) == ["G", "J", "P", "X"]
    planned = [source.as_dict() for source in discovery.discover(tmp_path)[0]]
    assert [one.as_dict() for one in discovery.discover(tmp_path, json.loads(json.dumps(planned)))[0]] == planned
    zipped(path, **contents | {"d.pdf": b"%pdf"})
    with pytest.raises(InputError, match=r"^all.zip/a.xlsx changed while it was read"):
        check_unchanged(planned, planned)


def _entry(name, mode=0):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (_entry("../book.csv"), "all.zip/../book.csv would be outside of the archive"),
        (_entry("/etc/book.csv"), "all.zip//etc/book.csv would be outside of the archive"),
        (_entry("C:\\book.csv"), "would be outside of the archive"),
        (_entry("book.csv", stat.S_IFLNK), "all.zip/book.csv is a link, not a file: pack the file that it leads to"),
        (_entry("old.zip"), "all.zip/old.zip is an archive within an archive: unpack it"),
        (_entry("book.csv.gz"), "all.zip/book.csv.gz is an archive within an archive"),
    ],
)
def test_member_that_could_do_harm_is_refused(tmp_path, member, message):
    assert message in refused(zipped(tmp_path / "all.zip", ("a.csv", BOOK), (member, BOOK)))


def test_encrypted_archive_is_refused(tmp_path):
    path = zipped(tmp_path / "all.zip", ("a.csv", BOOK))
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(content)
    assert refused(path) == "all.zip/a.csv is encrypted: unpack it with its password, and give the files"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_name_that_is_twice_in_an_archive_is_refused(tmp_path):
    path = zipped(tmp_path / "all.zip", ("a.csv", BOOK), ("a.csv", BOOK))
    assert refused(path) == "all.zip/a.csv is in the archive twice: keep one of them"


def test_archive_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "MAX_MEMBERS", 2)
    members = [(f"{n}.csv", BOOK) for n in range(3)]
    assert refused(zipped(tmp_path / "all.zip", *members)) == "all.zip has 3 files, more than 2: pack the exports alone"
    assert len(names(zipped(tmp_path / "all.zip", *members[:2]))[0]) == 2


@pytest.mark.parametrize("limit", ["MIN_BOMB", "MAX_UNPACKED"])
@pytest.mark.parametrize("kind", ["zip", "gz", "lying zip"])
def test_file_that_unpacks_to_far_more_is_refused(tmp_path, monkeypatch, kind, limit):
    content = BOOK + b"\n" * 200_000
    monkeypatch.setattr(containers, limit, len(content) - 1)
    path = tmp_path / ("book.csv.gz" if kind == "gz" else "all.zip")
    path.write_bytes(gzip.compress(content)) if kind == "gz" else zipped(path, ("a.csv", content))
    if kind == "lying zip":
        size = len(content).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
        assert refused(path).startswith("all.zip/a.csv cannot be unpacked: it is damaged or not complete")
    else:
        assert "unpacks to 0 MiB or more, which no export does: unpack it, and give the files" in refused(path)
    monkeypatch.setattr(containers, limit, len(content))
    assert kind == "lying zip" or discovery.discover(path)


@pytest.mark.parametrize("kind", ["cut zip", "cut gz", "wrong sum", "text", "cut member"])
def test_damaged_archive_is_refused(tmp_path, kind):
    if kind == "cut gz":
        path = tmp_path / "book.csv.gz"
        path.write_bytes(gzip.compress(BOOK * 100)[:-20])
    else:
        path = zipped(tmp_path / "all.zip", ("a.csv", BOOK * 100))
        content = path.read_bytes()
        sum_ = zlib.crc32(BOOK * 100).to_bytes(4, "little")
        changed = {
            "cut zip": content[:-30], "wrong sum": content.replace(sum_, b"abcd"), "text": b"loan_id,x\n",
            "cut member": content[:60] + content[90:],
        }  # fmt: skip
        path.write_bytes(changed[kind])
    assert refused(path).endswith("cannot be unpacked: it is damaged or not complete; pack it again")


def test_archive_without_a_known_table_says_why(tmp_path):
    path = zipped(tmp_path / "all.zip", ("a.csv", "x,y\n1,2\n"), ("__MACOSX/._a.csv", "?"), ("b.txt", ""))
    message = refused(path)
    assert message.startswith("No usable export in all.zip: ") if "empty" not in message else message
    assert refused(zipped(path, ("b.pdf", ""))) == "No usable export in all.zip: all.zip/b.pdf: not a table"
    assert refused(zipped(path)) == "No usable export in all.zip: it is empty"


# Folders


def test_folders_are_read_to_a_depth_and_once(tmp_path):
    for month in ("2025-11", "2025-12"):
        write(tmp_path / month / "par.csv", PAR, f"A-1,{month}-30,1,0,0,0,0")
    write(tmp_path / "1" / "2" / "3" / "4" / "5" / "par.csv", PAR)
    (tmp_path / "2025-12" / "loop").symlink_to(tmp_path)
    (tmp_path / "0 last").symlink_to(tmp_path / "2025-12")
    write(tmp_path / "reports" / "run.json", "{}")
    write(tmp_path / "reports" / "manifest.json", "{}")
    assert names(tmp_path) == (
        ["2025-11/par.csv", "2025-12/par.csv"],
        {
            "0 last": "a link to a folder that is read already",
            "1/2/3/4/5": "a folder more than 4 folders down",
            "2025-12/loop": "a link to a folder that is read already",
            "reports": "a report, not exports",
        },
    )


def test_folder_of_too_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(discovery, "MAX_FILES", 2)
    for n in range(3):
        write(tmp_path / f"{n}.pdf", "")
    assert refused(tmp_path).endswith(" has more than 2 files: give the folder of the exports alone")


# Workbooks


def test_workbook_of_excel_97_is_read(tmp_path):
    (tmp_path / "loans.xls").write_bytes(XLS)
    found, skipped = discovery.discover(tmp_path / "loans.xls")
    assert [(s.sheet, s.first_line, s.other_sheets, s.hidden_sheets) for s in found] == [("Loans", 3, 1, 1)]
    tape = ingest(tmp_path / "loans.xls").tape
    assert [(row["loan_id"], str(row["total_receivable_usd"])) for row in tape] == [
        ("L001", "1500.50"),
        ("L002", "1500.50"),
    ]
    assert [str(note) for note in roles.notes(found, skipped, [], [])][:2] == [
        "Hidden sheets of loans.xls are not read (1 with cells).",
        "Of loans.xls the sheet whose header is known is read; other sheets with cells: 1.",
    ]
    for content in (XLS[:2000], BOOK):
        (tmp_path / "loans.xls").write_bytes(content)
        assert refused(tmp_path / "loans.xls").startswith("loans.xls cannot be read as xls: ")


def test_errors_and_currencies_of_a_workbook_of_excel_97_are_seen(tmp_path):
    (tmp_path / "loans.xls").write_bytes(XLS_OF_EUROS)
    [source], _ = discovery.discover(tmp_path / "loans.xls")
    assert source.amount_signs == {"€"}
    assert ingest(tmp_path / "loans.xls").faults == [(4, "dpd: not a whole number")]


def ods(path, *rows, cell="", settings=""):
    space = 'xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s:1.0"'
    spaces = " ".join(space % (name, name) for name in ("office", "table", "text"))
    text = '<table:table-cell office:value-type="string"><text:p>%s</text:p></table:table-cell>'
    body = "".join(f"<table:table-row>{''.join(text % one for one in row)}</table:table-row>" for row in rows)
    table = f'<table:table table:name="Loans">{body}{cell}</table:table>'
    content = f"<office:body><office:spreadsheet>{settings}{table}</office:spreadsheet></office:body>"
    calc = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
    parts = {"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}
    parts["content.xml"] = f"<office:document-content {spaces} {calc}>{content}</office:document-content>"
    manifest = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    parts["META-INF/manifest.xml"] = f'<manifest:manifest xmlns:manifest="{manifest}"/>'
    return zipped(path, **parts)


def test_open_document_is_read(tmp_path):
    head, row = SNAPSHOT.split(","), snapshot().split(",")
    blank = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="9"/>'
    )
    path = ods(tmp_path / "book.ods", ["ACME"], head, row, cell=f"{blank}</table:table-row>")
    assert [row["loan_id"] for row in ingest(path).tape] == ["A-1"]


def test_days_of_an_open_document_that_counts_from_1904_are_refused(tmp_path):
    settings = (
        '<table:calculation-settings><table:null-date table:date-value="1904-01-01"/></table:calculation-settings>'
    )
    path = ods(tmp_path / "book.ods", SNAPSHOT.split(","), snapshot(date="44560").split(","), settings=settings)
    with pytest.raises(InputError, match="numbers of a workbook that counts from 1904"):
        ingest(path)


@pytest.mark.parametrize("beside", ['office:currency="EUR">', "><text:p>5.00 €</text:p>"])
def test_currencies_of_an_open_document_are_seen(tmp_path, beside):
    cell = f'<table:table-cell office:value-type="float" office:value="5" table:number-columns-repeated="9" {beside}'
    row = f"<table:table-row>{cell}</table:table-cell></table:table-row>"
    [source], _ = discovery.discover(ods(tmp_path / "book.ods", SNAPSHOT.split(","), snapshot().split(","), cell=row))
    assert len(source.amount_signs) == 1 and source.amount_signs <= {"EUR", "€"}


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            '<table:table-row table:number-rows-repeated="99999"><table:table-cell office:value="1" '
            'table:number-columns-repeated="16384"><text:p>1</text:p></table:table-cell></table:table-row>',
            "has 1,638,400,000 places for cells",
        ),
        (
            '<table:table-row table:number-rows-repeated="999999999"/><table:table-row><table:table-cell>'
            "<text:p>1</text:p></table:table-cell></table:table-row>",
            "places for cells, too many for a workbook: export it as CSV",
        ),
        (
            '<table:table-row><table:table-cell calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
            "</table:table-row>",
            "has cells with errors or without a value (1), which look empty: correct them",
        ),
        (
            '<table:table-row><table:table-cell table:formula="of:=[.A1]"/></table:table-row>',
            "has cells with errors or without a value (1), which look empty: correct them",
        ),
        ("<!DOCTYPE x>", "cannot be read as ods"),
    ],
)
def test_open_document_that_could_do_harm_is_refused(tmp_path, cell, message):
    assert message in refused(ods(tmp_path / "book.ods", SNAPSHOT.split(","), cell=cell))


def sheets(path, **rows):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, content in rows.items():
        sheet = book.create_sheet(name)
        for row in content:
            sheet.append(row)
    book.save(path)
    return path


def test_sheets_of_months_are_read_and_others_refused(tmp_path):
    def par(day):
        return [PAR.split(","), ["A-1", day, 1, 0, 0, 0, 0]]

    path = tmp_path / "par.xlsx"
    sheets(path, **{"Nov 2025": par("2025-11-30"), "Dec 2025": par("2025-12-31")})
    assert names(path)[0] == ["par.xlsx/Nov 2025", "par.xlsx/Dec 2025"]
    assert [row["measurement_date"] for row in ingest(path).tape] == [DATE.replace(month=11, day=30), DATE]
    sheets(path, Norte=par("2025-12-31"), Sur=par("2025-12-31"))
    assert refused(path) == (
        "par.xlsx has several sheets of PAR balances, Norte and Sur: keep the one that is meant; or name each after "
        "its month; or, where each has a part of the book, save each as a file and give INPUT their folder"
    )
    for sheet, loan in {"Norte": "A-1", "Sur": "A-2"}.items():
        write(tmp_path / "parts" / f"{sheet}.csv", PAR, f"{loan},2025-12-31,1,0,0,0,0")
    assert len(ingest(tmp_path / "parts").tape) == 2
    sheets(path, Loans=[LOANS.split(",")], PAR=par("2025-12-31"))
    assert names(path)[0] == ["par.xlsx/Loans", "par.xlsx/PAR"]


# JSON


@pytest.mark.parametrize("space", ["", "\n  "])
def test_list_within_an_object_is_the_rows(tmp_path, space):
    row = dict(zip(SNAPSHOT.split(","), snapshot(amount="1.10").split(","), strict=True))
    rows = [row, row | {"loan_id": "A-2"}]
    content = {"page": 1, "data": {"names": ["x"], "none": [], "loans": rows}}
    path = write(tmp_path / "book.json", space + json.dumps(content, indent=2 if space else None))
    found, _ = discovery.discover(path)
    assert found[0].rows_in == "data.loans"
    assert [row["loan_id"] for row in ingest(path).tape] == ["A-1", "A-2"]
    assert str(roles.notes(found, [], [], [])[0]).startswith("The rows of book.json are those of the list data.loans; ")
    both = content | {"pageItems": rows}
    assert refused(write(path, json.dumps(both))) == (
        "book.json has several lists of objects, data.loans and pageItems: write the one of the loans by itself"
    )
    assert discovery.discover(write(path, json.dumps(row | {"payments": [{"a": 1}]})))[0][0].rows_in is None
    assert (
        len(ingest(write(path, json.dumps(row | {"x": [{}]}), json.dumps(row | {"loan_id": "B", "x": [{}]}))).tape) == 2
    )


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ({"totalFilteredRecords": 700}, "says 700 rows, and holds 2: export all pages into one file"),
        ({"page": 1, "totalPages": 7, "totalRecords": 700}, "says 700 rows, and holds 2"),
        ({"meta": {"total": 3, "per_page": 2}}, "says 3 rows, and holds 2"),
        ({"totalPages": 7}, "says that there are 7 pages, and holds 2 rows: export all pages into one file"),
        ({"hasMore": True}, r"says that there are more rows \(hasMore\), and holds 2"),
        ({"links": {"next": {"href": "/loans?page=2"}}}, r"says that there are more rows \(links\.next\.href\)"),
        ({"last": False}, r"more rows \(last\)"),
        ({"totalRecords": 2, "totalPages": 2, "hasMore": True}, None),  # pages that were put together
        ({"page": 1, "totalPages": 1, "next": None, "last": True}, None),
        ({"total": 1500, "total_balance": 1500.5, "currency": "USD"}, None),  # an amount
    ],
)
def test_list_that_is_said_to_be_a_part_is_refused(tmp_path, beside, told):
    path = write(tmp_path / "book.json", json.dumps({**beside, "pageItems": [{"loan_id": "A-1"}, {"loan_id": "A-2"}]}))
    with pytest.raises(InputError, match=told) if told else contextlib.nullcontext():
        assert json_lists.inner_list(path, "book.json").rows == 2


def test_object_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(json_lists, "MAX_TEXT", 30)
    path = write(tmp_path / "book.json", json.dumps({"data": [{"loan_id": "A-1"}]}))
    assert refused(path) == "book.json is one object of 0 MiB: write its list of rows by itself"


# Text


def text(path, *lines, end="\n", encoding="utf-8"):
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    return path


ROWS = (SNAPSHOT, snapshot(), snapshot("A-2", amount="abc"), snapshot("A-3"))


ABOVE = ("ACME, S.A. «ñ»", "", "Al 31/12/2025,,")


@pytest.mark.parametrize(
    ("above", "encoding", "end"),
    [
        ((), "utf-8", "\r"), ((), "utf-16", "\r\n"), (ABOVE, "utf-8", "\n"), (ABOVE, "utf-8-sig", "\r\n"),
        (ABOVE, "utf-16", "\n"), (ABOVE, "cp1252", "\r"),
    ],
)  # fmt: skip
def test_lines_are_those_of_the_file_however_it_is_written(tmp_path, above, encoding, end):
    found = ingest(text(tmp_path / "book.csv", *above, *ROWS, end=end, encoding=encoding))
    assert [row["line"] for row in found.rejects] == [len(above) + 3]
    assert [row["loan_id"] for row in found.tape] == ["A-1", "A-3"]


@pytest.mark.parametrize(("delimiter", "says"), [(";", True), ("^", True), ("|", False), ("~", False), ("\x01", False)])
def test_delimiters(tmp_path, delimiter, says):
    rows = [row.replace(",", delimiter) for row in ROWS]
    found = ingest(text(tmp_path / "book.csv", *([f"sep={delimiter}"] if says else []), *rows))
    assert [row["line"] for row in found.rejects] == [3 + says]
    [source], _ = discovery.discover(tmp_path / "book.csv")
    assert (source.delimiter, source.above) == (delimiter, 0)


def test_what_stands_above_and_below_is_told(tmp_path):
    below = ("", '"Total amount funded in policy code 1: 4,602"', "Source: ledger,,")
    path = text(tmp_path / "book.csv", "Notes, of ACME", *ROWS, snapshot("A-4") + ",x", *below)
    found, _ = discovery.discover(path)
    assert (found[0].first_line, found[0].last_line, found[0].lines) == (2, 6, 6)
    result = ingest(path)
    assert [(row["line"], row["reasons"].split(";")[0]) for row in result.rejects] == [
        (4, "total_receivable_usd: not a number"), (6, "line: too many columns"),
    ]  # fmt: skip
    assert [str(note) for note in roles.notes(found, [], [], [])] == [
        "The header of book.csv is in line 2; what stands above it is not read.",
        "The table of book.csv ends in line 6; what stands below it is not read.",
    ]


@pytest.mark.parametrize("last", ["A-4", "A-4,2025-12-31", "Ana Invented", 'A-5,"Total'])
def test_line_that_breaks_off_is_no_footer(tmp_path, last):
    found = ingest(text(tmp_path / "book.csv", *ROWS[:2], last, end="\n"))
    assert [row["line"] for row in found.rejects] == [3]


def test_rows_above_the_header_that_are_a_table_are_refused(tmp_path):
    path = text(tmp_path / "book.csv", snapshot("A-9"), *ROWS)
    assert refused(path) == (
        "book.csv: line 1 looks like a row of a table, and stands above the header in line 2: keep one table in the "
        "file, with its header above its rows"
    )


def test_header_in_two_rows_is_joined(tmp_path):
    head = [name.split("_", 1) for name in SNAPSHOT.split(",")]
    upper, lower = (",".join(one[i] if i < len(one) else "" for one in head) for i in (0, 1))
    found = ingest(text(tmp_path / "book.csv", "ACME", upper, lower, *ROWS[1:]))
    assert [row["line"] for row in found.rejects] == [5]
    assert len(found.tape) == 2


# What is not known


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_other_shapes_are_named_with_the_way_out(tmp_path, kind):
    path = tmp_path / f"x.{kind}"

    def message(*rows):
        if kind == "xlsx":
            sheets(path, Cover=[["ACME"]], Data=rows)
        else:
            text(path, *(",".join(map(str, row)) for row in rows))
        return refused(path)

    place = " (sheet Data of Cover, Data)" if kind == "xlsx" else ""
    sideways = list(zip(*(row.split(",") for row in ROWS), strict=True))
    assert message(*sideways) == (
        f"x.{kind}{place} stands on its side, with its headings in column 1: transpose it, or draft a mapping of it, "
        "make map INPUT=…"
    )
    wide = ["Loan", "Bal 2025-10", "Bal 2025-11", "Bal 2025-12", "Town"]
    assert message(wide, *(["7", 1.5, 2.5, 3.5, "Ana"] for _ in range(3))).endswith(
        "; it has a column for each month (Bal 2025-10, Bal 2025-11 …), of which the draft makes rows"
    )
    found = message(["ACME"], [], ["LAN", "POS", "Name"], *([n + 100, 2.5, "Ana Invented"] for n in range(3)))
    assert found == (
        f"x.{kind}{place}, line 3, fits no known format: it has the columns LAN, POS, Name; none of them tells which "
        "export it is; make map INPUT=… drafts a mapping of it"
    )


def test_sample_ends_are_no_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(fingerprint, "SAMPLE", 500)
    found = ingest(text(tmp_path / "book.csv", "ACME", *ROWS, *(snapshot(f"B-{n}") for n in range(50))))
    assert len(found.tape) == 52
