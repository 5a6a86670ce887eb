"""What each reason says in English, by its code, and which reasons stand at the head of a report."""

# code → what it says in English; the values fill its places
ENGLISH = {
    # why a figure has no value
    "on_date": "{reason} on {date}",
    "input_not_computable": "{kpi} is not computable: {reason}",
    "not_given": "the input does not give {what}",
    "nothing_to_divide_by": "there is nothing to divide by: {what} is {sum}",
    "amount_unread": "{column} cannot be read in {count} of {rows} rows",
    "amounts_unread": "the {export} have rows from {first} to {last} whose {amount} cannot be read ({count})",
    "written_off_unread": "written-off balances of {since} cannot be read ({count})",
    "export_lacks_amount": "the {export} have no {amount}",
    "export_ends_early": "the {export} end on {last}, too early for the figures",
    "export_begins_late": "the {export} reach back only to {since}, too short for the figures",
    "figures_before_month": "the figures are from {date}, before the month began,",
    "payments_begin_late": "what every loan has paid is not known (the {paid} begin on {paid_since}, and the {due} "
    "already on {due_since})",
    "no_common_loan": "no loan of the {export} is in the {other}",
    "no_loan_of_tape": "no loan of the tape is in the loans export",
    "lateness_unknown": "days past due or the written-off balance are not known of every loan",
    "late_by_unknown": "of {count} rows the input does not say whether they are {days} or more days late",
    "limit_unknown": "the input does not say of every loan whether it is {days} or more days late",
    "month_end_missing": "the balances of twelve month-ends are not all there (none of {month})",
    "no_month_before": "the input has no balances of {month}, the month before, from which movement is counted",
    "month_not_known": "a rate over {months} months needs the rate of each, and that of {month} is not known",
    "pool_empty": "no loan of the facility has a balance",
    "line_unknown": "the drawn amount or the cash of the facility is not known",
    "cohort_month_missing": "a quarter of lending is needed at {months} months of each of its loans, and the input has "
    "no date in {month}",
    "cohort_empty": "nothing was lent from {first} to {last}",
    "window_month_missing": "{kpi} is needed for each of {months} months, and the input has no date in {month}",
    "window_month_unknown": "{kpi} is needed for each of {months} months, but {reason}",
    "rate_basis_unknown": "interest and fees of the loans do not show whether the contract rates include fees",
    "no_principal_paid": "no principal was paid in twelve months",
    "rate_above_whole": "more than all that was there at the month's start went in the month",
    "nothing_outstanding": "nothing is outstanding",
    "loans_not_distinct": "the loans of the two dates cannot be told apart: give one row per loan, not one per date",
    "risk_unknown": "the balance at risk or the book of one of the dates is not known, or 0",
    "borrower_unknown": "the borrower is not known of {usd} of the outstanding balance",
    "squares_too_large": "the squares of what borrowers owe have more than 30 digits",
    # why a row was rejected
    "missing": "{column}: missing",
    "days_missing": "{column}: missing",
    "not_a_date": "{column}: not a date",
    "not_a_number": "{column}: not a number",
    "not_finite": "{column}: not a finite number",
    "not_whole": "{column}: not a whole number",
    "amount_too_large": "{column}: too large, an amount has at most 16 digits before the point",
    "days_too_large": "{column}: too large, days are at most 36,500",
    "negative": "{column}: negative",
    "more_than": "{column}: more than {wider_column}",
    "conflict": "{columns}: another row has the same, with other values",
    "conflict_of_borrowers": "{columns}: rows for other borrowers have the same, with other values: give each loan one "
    "row with its whole balance",
    "conflict_of_files": "{columns}: {files} have the same, with other values: keep what still holds",
    "columns_of_files": "{columns}: {files} have the same, each with columns that the other lacks: keep one of them",
    "broken_line": "line: {fault}",
    "row_of_text": "only a text, as the heading of a group or a note",
    "row_of_shares": "only percentages, as the shares of a total",
    "row_of_units": "only texts below the headings, as units",
    # how complete a report is
    "limits_not_checked": "Limits not checked: {titles}.",
    "critical_before": "Past the critical limit in the former report of {date}, and not checked now: {titles}.",
    "file_lost": "The input of the former report of {date} also had {names} ({format}).",
    "column_lost": "The {format} of the former report of {date} also had: {names}.",
    "column_emptied": "The {format} of the former report of {date} had values in these columns, now empty: {names}.",
    "rows_changed": "The {format} have {now} rows, and had {before} in the former report of {date}.",
    "bytes_changed": "The {format} have {now} bytes, and had {before} in the former report of {date}.",
    "book_shrunk": "The book has {now} rows, and had {before} at the date before.",
    "loans_rejected": "Loans whose rows were rejected, so that nobody knows what they owe now: {loans}. On {date} they "
    "owed {usd}, {late_usd} of it 30 or more days late.",
    "loans_gone": "Loans of {date} that are not in these balances, and no payments explain them: {loans}. They owed "
    "{usd}, {late_usd} of it 30 or more days late.",
    "loans_vanished": "Loans that were 30 or more days late on {date} and have no row now, though neither payments nor "
    "a write-off nor their maturity explain it: {loans}. They owed {usd}.",
    "loans_vanished_early": "Loans that were late by less than 30 days on {date} and have no row now, more often than "
    "loans that were not late, though neither payments nor their maturity explain it: {loans}. They owed {usd}; had "
    "nobody paid, that would be 30 or more days late.",
    "loans_apart": "Most loans of {date} have no row on the date of the report, a few days later: {loans}, which owed "
    "{usd}. See whether part of the book carries another date.",
    "lateness_in_doubt": "PAR30 lies between {low} % and {high} %: whether {usd} is late is in doubt, as its days past "
    "due or PAR balances say no, or less, and its status, a date, an overdue amount or an unread column says so.",
    "balances_in_doubt": "PAR30 is {low} % or {high} %: whether {usd} is still owed is in doubt, as its balances say "
    "yes, and its status or a column that is not read says no.",
    "owed_in_doubt": "Whether {usd} is still owed is in doubt, as its balances say yes, and its status or a column "
    "that is not read says no.",
    "balances_elsewhere": "PAR30 lies between {low} % and {high} %: another export has {usd} more, or calls it late.",
    # how a facility stands
    "facility_available": "{facility}: {usd} may be drawn.",
    "facility_deficient": "{facility}: {usd} more is drawn than may be.",
    "facility_unknown": "{facility}: what may be drawn is not known, as the drawn amount or the cash is not.",
    "covenant_default": "Covenant “{covenant}” at {value} is past its default level of {limit}.",
    "covenant_curing": "Covenant “{covenant}” at {value} is past its default level of {limit}; it can be cured until "
    "{last}.",
    "covenant_trigger": "Covenant “{covenant}” at {value} is past its trigger of {limit}.",
    "covenant_warning": "Covenant “{covenant}” at {value} is past its warning level of {limit}.",
    "trigger_next": "Its trigger is at {limit}.",
    "default_next": "Its default level is at {limit}.",
    "covenant_unknown": "Covenant “{covenant}” cannot be computed: {reason}.",
    "covenants_hold": "All covenants hold; the closest is “{covenant}”, at {value} against a {level} of {limit}.",
    # what to know about an input
    "file_not_used": "{name} was not used: {cause}.",
    "table_not_used": "{name} was not used: {cause}.",
    "loans_not_used": "{name} was not used: {cause}.",
    "facilities_lost": "Facilities of the report of {date} that this one lacks: {names}. Name their file as it did "
    "(PARAMS=run.facilities=…), or its date in `to` where they have ended.",
    "facilities_critical_before": "Facilities that were critical in the former report, and may be still: {names}.",
    "files_without_flows": "Files with balances of which no loan has an instalment or a payment, unlike the others: "
    "{names}. They may be of another lender.",
    "loans_unused": "Tables of loans that are in no figure, as they could not be read: {names}.",
    "column_twice": "{name} has {read} and {other} for the same: {read} is read.",
    "column_without_heading": "Values in column {place} of {name}, which has no heading and is not read: {count}.",
    "column_unused": "{name} has {read} and {other} for the same: {read} is read, as {other} is 0 in every row.",
    "balance_beside": "The balances of {name} are {read}, {usd} over all rows, and {other}, which is not read, comes "
    "to {other_usd}.",
    "balance_is_lent": "The balances of {name} are the amounts lent, {column}: nothing that was paid is taken off.",
    "columns_unmentioned": "{name} has {names}, which may be columns of ours, and its mapping {mapping} does not know "
    "them: add them to its columns, or to left_behind.",
    "dates_serial": "The dates of {name} under {column} are numbers of days, as spreadsheets count them from 1900 "
    "(45,000 is 15 March 2023).",
    "dates_of_file": "Nothing under {column} in {name} tells the order of its dates: it is taken from the other dates "
    "of the file, {form}.",
    "dates_utc": "Times of {name} under {column} are in UTC: the day where the lender is may be the one before. Values "
    "with such a time: {count}.",
    "days_ahead": "Negative days of {name} under {column} are those until the next due date, and count as 0 days late. "
    "Such rows: {count}.",
    "files_of_companies": "Each of these files is of another company, and their loans are one book: {names}.",
    "hidden_rows": "Rows of {name} that are hidden in its sheet, as by a filter, and read like the others: {count}.",
    "hidden_sheets": "Hidden sheets of {name} are not read ({count} with cells).",
    "other_sheets": "Of {name} the sheet whose header is known is read; other sheets with cells: {count}.",
    "amounts_multiplied": "Amounts of {name} are multiplied by {factor}, as its mapping says: {names}.",
    "rows_above": "The header of {name} is in line {line}; what stands above it is not read.",
    "rows_below": "The table of {name} ends in line {line}; what stands below it is not read.",
    "list_within": "The rows of {name} are those of the list {keys}; what stands beside it is not read.",
    "loans_undated": "The loans export carries no date: balances and days past due are those of the day it was made, "
    "whatever date the report is of.",
    "balances_of_loans": "The balances come from the loans export, where they include what was written off "
    "unless a loan's status says so.",
    "accounts_not_used": "No KPI uses these accounts of the statements: {accounts}.",
    "payments_not_used": "The real payments are not used: the transactions tell what was paid.",
    "pledged_to_others": "Loans with a balance that are pledged to {words}, which the file of facilities does not "
    "describe: {rows}. Describe it there, or add the name to `called` of the facility that it is.",
    "drawn_of_others": "Rows of the drawn amounts that are of {words}, which the file of facilities does not describe, "
    "and that count nowhere: {rows}.",
    "due_later": "Due later than the schedules of the former report of {date} said, though no export calls them "
    "restructured: {rows}. If they are, say so in a column is_restructured.",
    "pledged_twice": "Pledged to {words} at once, and counted in both: {rows}. Where one leaves out what is pledged "
    "to the other, write pledged: by_column.",
    "drawn_when_closed": "{usd} is drawn from {facility}, which runs from {first} to {last}: it has no borrowing base "
    "now.",
    "word_of_no_loan": "{facility}, {place}: no loan has {word} under {column}; see how the exports write it.",
    "kind_unknown": "Left out of the {export}: {rows}, as {words} is not in params/flows.yml; add it there.",
    "payments_reversed": "Payments of the {export} that were reversed or failed, and do not count: {rows}.",
    "type_not_paid": "Left out of the {export}: {rows}, whose type does not say that something was paid.",
    "status_not_paid": "Left out of the {export}: {rows}, whose status does not say that something was paid.",
    "rows_without_loan": "Without a loan in the loans export, and only in the sums of their month: {rows} of the "
    "{export}.",
    "ids_of_other_case": "Ids of {export} that differ only in capital letters count as different loans, {rows} among "
    "them: see whether they are one.",
    "ids_alike": "The id of their loan written in another way (without zeros in front, say), and counted for the only "
    "loan that fits: {rows} of the {export}.",
    "tape_without_loan": "Without a loan in the loans export, and so without a vintage: {rows} of the tape.",
    "file_repeated": "{name} is left out: all of its rows are in {other}.",
    "file_without_rows": "{name} has a header, and no rows.",
    "other_files": "the other files of {export}",
    "rows_repeated": "Also in {other}, and counted once: {rows} of {name}.",
    "date_restated": "The balances of {date} are those of {name}, which is newer than {names} by its name and has all "
    "of its loans, some with other values.",
    "rows_numbered": "Equal to another row of the same number, and counted once: {rows} of {name}.",
    "filled_from": "From the {export} comes what the tape lacks: {columns}.",
    "sources_disagree": "{column}: {usd} in the {export}, which count, and {other_usd} in the {other}.",
    "loans_beside": "In the {other}, but not in the {export}, which give the balances: {rows}. They count nowhere.",
    "loans_differ": "Other balances or lateness than in the {other} ({other_usd} there): {rows} of the {export}.",
    "dates_disagree": "Earlier dates on which the {export} and the {other} disagree: {count}, the last {last}.",
    "rows_alike": "Equal to another row of the same file, and counted, as both may be real: {rows} of {name}.",
    "rows_rejected": "Rejected rows of the {export}, which count nowhere: {rows}; tables/quarantine.csv of the "
    "report's folder has them.",
    "rows_rejected_unknown": "Rejected rows of the {export}, which count nowhere: {rows}; rows with an amount that "
    "cannot be read: {count}; tables/quarantine.csv of the report's folder has them.",
    "earlier_dates_rejected": "Earlier dates of which so many rows or balances were rejected that what moved since "
    "them, and their figures, are not whole: {names}.",
    "dates_ahead": "Dates after {date} with far fewer rows than it, which may be typing errors: {names}. These rows do "
    "not count.",
    "name_before_dates": "{name} names {said} in its name, and has balances of {last}: see which of them holds.",
    "balances_unknown": "Rejected rows with a balance that cannot be read: {count}. The book may be larger by any "
    "amount until they are corrected in the export; tables/quarantine.csv of the report's folder has their lines.",
    "totals_rows": "Totals in {name} that are left out: {rows}.",
    "rows_left_out": "Left out of {name}, as its mapping or a clearing date says: {rows}.",
    "rows_blank": "Left out of {name}, as they have no value in the columns that are read: {rows}.",
    "totals_differ": "The totals row of {name} says {usd}, but its rows come to {found}: rows may be missing.",
    "co_borrowers": "Rows of {name} that repeat a loan for another borrower: {count}; each loan counts once, with its "
    "first borrower.",
    "credit_balances": "Overpaid loans, whose credit balances are not part of the book: {rows}.",
    "written_off_by_status": "Loans that are written off by their status, flag or date, and not outstanding: {rows}.",
    "written_off_contested": "Written off by their status, flag or date, and outstanding by another of them: {rows}. "
    "They count as written off.",
    "late_too_long": "Late by more days than since they were lent, or than {years} years: {rows}. See whether these "
    "are days past due.",
    "ended_with_balance": "Outstanding, though their status, or a column that is not read, says that they are "
    "written off, paid, closed, sold or not lent: {rows}.",
    "ended_in_unread": "Columns that are not read and say of outstanding loans that they are written off, paid, closed "
    "or sold: {names}. A mapping leaves such rows out (rows_to_leave_out), or says that a column is none "
    "(left_behind).",
    "late_without_days": "Not late, or less, by their days past due or PAR balances, though their status, maturity, "
    "first day overdue, next due date, overdue amount or a column that is not read says that they are: {rows}.",
    "late_in_unread": "Columns that are not read and call loans later than their days past due do: {names}.",
    "written_off_beside": "Outstanding in the {export}, though the {other} say that they are written off: {rows}.",
    "values_unknown": "Values of {column} in the {export} that could not be read, and count as unknown: {count}.",
    "values_hidden": "Values under {column} in {name} that look like addresses, phones or document numbers of people, "
    "and are shown as …: {count}.",
    "values_of_borrowers": "Values under {column} in {name} that a personal column of their row has are shown as ….",
    "no_dimension": "Not used, as it may name people: {column} in {name} has {count} different values for "
    "{loans} borrowers or loans, too many for parts of a book.",
    "currency_set": "Amounts are in {currency}, as the setting run.currency says.",
    "currency_of_rates": "Amounts are in {currency}, the currency that the rates of {names} lead to.",
    "converted": "Amounts in {from} are in {currency} at the rate of {names} of the day of each row, rounded to cents "
    "(days: {count}; on {date}, 1 {from} was {rate} {currency}).",
    "currency_stated": "Amounts are in {currency}, as stated in {names}.",
    "currency_blank": "Rows of {name} that state no currency, and count as amounts in that of its other rows: {rows}.",
    "status_unknown": "Outstanding, though no list of params/loans.yml has their status ({words}): {rows}; add it "
    "there.",
    "one_sum": "{count} row ({usd})",
    "many_sums": "{count} rows ({usd})",
    "one_row": "{count} row ({usd} of principal)",
    "many_rows": "{count} rows ({usd} of principal)",
    "rates_hold_fees": "The contract rates hold fees: interest and fees over principal, annualised, equal them. So "
    "the contract rate compares with the yield with fees, and the contract rate without fees with the realised rate.",
    "dates_close_month": "Every date is the first of a month: its balances count as the close of the month before.",
    "late_no_more": "{rows} of the tape: matured more than {days} days ago, late on {date}, and 0 days late now with a "
    "balance. See whether the days past due were reset.",
    "partial_month": "What was paid and due in {month} counts up to {last}: the month is not whole.",
    "partial_month_paid": "What was paid in {month} counts up to {last}: the month is not whole.",
    "partial_month_due": "What was due in {month} counts up to {last}: the month is not whole.",
}
# what a reader must know before the figures
HEADLINES = (
    "table_not_used", "loans_not_used", "column_unused", "column_without_heading", "hidden_rows", "balance_is_lent",
    "balance_beside", "columns_unmentioned", "file_repeated", "rows_repeated", "rows_numbered", "rows_alike",
    "date_restated", "kind_unknown", "days_ahead", "status_unknown", "written_off_contested", "ended_with_balance",
    "ended_in_unread", "late_without_days", "late_in_unread", "late_too_long", "rows_rejected",
    "rows_rejected_unknown", "balances_unknown", "currency_blank", "dates_ahead", "name_before_dates",
    "sources_disagree", "dates_disagree", "loans_vanished", "loans_beside", "loans_differ", "written_off_beside",
    "due_later", "pledged_twice", "drawn_when_closed", "word_of_no_loan", "ids_of_other_case", "file_without_rows",
)  # fmt: skip
