"""Number formats of a workbook: the signs of currencies that they put beside amounts, as in ``#,##0.00 "€"``.

Formats that are built into Excel say nothing: they show the sign of the country of whoever looks.
"""

import re
import xml.etree.ElementTree as ET

from abaco.core.currencies import is_sign

QUOTED, LOCALE = re.compile(r'"([^"]*)"'), re.compile(r"\[\$([^\]-]*)[^\]]*\]")
BESIDE = re.compile(r'"[^"]*"|\[[^\]]*\]|_.|\*.|[\s\\#?0-9.,%()/+-]')  # what is left is written as it stands


def signs_of_styles(styles: ET.Element) -> dict[int, str]:
    """Return the sign of a currency by the number of a cell's style; styles without one are left out.

    Parameters
    ----------
    styles
        The part of a workbook with its styles.
    """
    signs, places = {}, []
    for element in styles.iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "numFmt":
            signs[element.get("numFmtId")] = sign(element.get("formatCode", ""))
        elif kind == "cellXfs":
            places = [style.get("numFmtId") for style in element]
    return {number: signs[id_] for number, id_ in enumerate(places) if signs.get(id_)}


def sign(format_code: str) -> str | None:
    r"""Return the sign of a currency in a number format; None without one.

    Examples
    --------
    >>> [sign(code) for code in ('#,##0.00 "€"', "[$CRC-409] #,##0", "[$-409]d-mmm", r"R\$ 0", "[Red]0%", "$0;-$0")]
    ['€', 'CRC', None, 'R$', None, '$']
    """
    words = [*QUOTED.findall(format_code), *LOCALE.findall(format_code), *BESIDE.sub("", format_code).split(";")]
    return next((word.strip() for word in words if is_sign(word)), None)
