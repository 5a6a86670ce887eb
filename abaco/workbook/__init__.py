"""The report as a workbook, for those who go on computing in a spreadsheet."""

from abaco.workbook.writing import NAME, write

__all__ = ["NAME", "write"]
