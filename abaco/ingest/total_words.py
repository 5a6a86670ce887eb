"""Labels of rows that hold totals, averages or extremes instead of loans."""

from abaco.engines.forms import MONTHS

WORDS = (
    "total", "totals", "totales", "totais", "totaux", "totale", "totaal", "totalt", "toplam", "suma", "soma",
    "summe", "somme", "somma", "sum", "gesamt", "gesamtsumme", "zwischensumme", "celkem", "razem", "ukupno",
    "yhteensa", "jumlah", "итого", "всего", "合計", "合计", "总计", "總計", "小計", "小计",
)  # fmt: skip
# labels of averages; and words that are labels as ids, and elsewhere something else: a middle-sized company
AVERAGES = (
    "average", "averages", "avg", "mean", "promedio", "promedios", "moyenne", "durchschnitt", "mittelwert",
    "gemiddelde", "rata-rata", "ortalama", "среднее", "平均",
)  # fmt: skip
WORDS_ALONE = (
    "max", "min", "maximum", "minimum", "máximo", "mínimo", "maximo", "minimo", "median", "mediana", "médiane",
    "media", "média", "count", "conteo", "recuento", "anzahl", "contagem",
)  # fmt: skip
PREFIXES = ("grand", "grande", "gran", "general", "sub", "sous", "report")
LIKE = rf"(?:(?:{'|'.join(PREFIXES)})[ _-]*)?(?:{'|'.join(WORDS)})"
LABEL = rf"{LIKE}(?:[ ,.:;()/_-][^0-9]*)?"
AVERAGE = rf"(?:{'|'.join(AVERAGES)})(?:[ ,.:;()/_-][^0-9]*)?"
ALONE = rf"(?:{'|'.join(WORDS_ALONE)})[ .:]*"
# labels of rows of shares of a total
SHARE = (
    "(?:%|percent(?:age)?|per cent|pct|porcentaje|percentual|percentagem|pourcentage|percentuale|prozent(?:satz)?"
    "|anteil)"
    r"[ .:_]*(?:(?:(?:of|de|del|do|du|des|vom|am|sul)[ _]+)?(?:the[ _]+)?(?:grand[ _]+)?"
    rf"(?:{'|'.join(WORDS)}|balance|portfolio|book|saldo|cartera|carteira))?[ .:]*"
)
IN_FULL = rf"[ *=_-]*{LABEL}"
# labels that no borrower has as a name ("Total Energies" is one)
OF_A_BOOK = (
    "book", "portfolio", "loans", "receivables", "cartera", "portafolio", "prestamos", "préstamos", "creditos",
    "créditos", "general", "geral", "carteira", "emprestimos", "empréstimos", "général", "générale", "portefeuille",
    "prêts", "crédits", "generale", "portafoglio", "crediti", "prestiti", "bestand", "kredite", "darlehen",
    "forderungen", "leningen",
)  # fmt: skip
# parts of a book that a total may be of, before a name
PARTS = (
    "branch|office|agency|region|zone|officer|group|sucursal|agencia|oficina|región|zona|asesor|grupo|agence|filiale"
)
# labels of a balance that is carried from one page or period to another
CARRIED = (
    "(?:balance )?(?:brought|carried) (?:forward|down|over)", "(?:opening|closing|previous) balance",
    "(?:balance )?[bc]/[fd]", "saldo (?:anterior|inicial|final|previo|de (?:apertura|cierre|arrastre))",
    "suma y sigue", "(?:saldo )?(?:ü|ue)bertrag", "(?:saldo)?vortrag|(?:anfangs|end|schluss)(?:saldo|bestand)",
    "(?:solde )?(?:reporté|à nouveau)|report à nouveau|solde initial|solde final", "riporto|saldo (?:iniziale|finale)",
    "(?:bilans|saldo) (?:otwarcia|zamknięcia)",
)  # fmt: skip
# what may follow one: another one, or a day
MONTH = "|".join(MONTHS)
DAY = (
    "(?:(?:as|at|of|on|from|per|al|a|el|de|del|do|em|am|zum|vom|au|du|le|dal|na|dzień)[ _]+)*"
    rf"[0-9]{{1,4}}(?:(?:[ ./_-]|,|st|nd|rd|th|º|de[l ])*(?:[0-9]{{1,4}}|{MONTH})){{0,2}}"
    rf"|(?:{MONTH})(?:[ ,.-]|de[l ])*[0-9]{{2,4}}(?:[ ,]+[0-9]{{4}})?"
)
SURE = (
    rf"[ *=_-]*(?:(?:{'|'.join(PREFIXES)})[ _-]*(?:{'|'.join(WORDS)})(?:[ ,.:;()/_-][^0-9]*)?"
    rf"|(?:{'|'.join(WORDS)})[ .:*=_-]*(?:(?:of|de|da|del|la|the|do)[ _]+)*(?:[0-9]+ )?(?:{'|'.join(OF_A_BOOK)})?"
    rf"[ .:*=_-]*(?:[0-9]+ ?%|\(.*\))?"
    rf"|(?:{'|'.join(WORDS)})[ _]+(?:(?:for|of|de|da|del|la|the|do|por|pour|per)[ _]+)+(?:{PARTS})[ .:_-].*"
    rf"|(?:{'|'.join(CARRIED)})(?:[ .:*=,(_-]+(?:{'|'.join(CARRIED)}|{DAY}))?[ .:*=)_-]*)"
)
