"""The report as a workbook, for those who go on computing in a spreadsheet, and the certificates of its facilities."""

from abaco.workbook.certificates import certify
from abaco.workbook.writing import NAME, write

__all__ = ["NAME", "certify", "write"]
