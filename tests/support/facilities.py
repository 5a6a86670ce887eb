"""Facilities as metrics.json has them, for whatever shows them: one with a deficiency, one near a trigger."""

import copy

from abaco.core.reasons import Reason

COVENANT = {
    "kpi": "PAR30", "cohorts": None, "line": None, "share_of": None, "cohort": None, "of": "pool",
    "window": None, "unit": "%", "precision": 4, "better": "lower", "level": "ok",
    "headroom_to": "trigger", "value": 4.5, "warning_at": 4.0, "trigger_at": 5.0, "default_at": 8.0,
    "headroom_points": 0.5, "headroom_usd": "816.12", "headroom_months": 2.5, "past_since": None, "cure_until": None,
    "reason": None,
}  # fmt: skip
UNKNOWN = {
    "level": "not_computable", "value": None, "headroom_to": None, "headroom_points": None, "headroom_usd": None,
    "headroom_months": None, "reason": Reason("pool_empty").as_dict(),
}  # fmt: skip
VERDICTS = {
    "SENIOR": [
        Reason("facility_deficient", facility="Senior line", usd="1200.50"),
        Reason("covenant_default", covenant="arrears", value="9.00 %", limit="8 %"),
    ],
    "TAIL": [
        Reason("facility_available", facility="Tail line", usd="3557.02"),
        Reason("covenant_unknown", covenant="write_offs", reason=Reason("pool_empty")),
        Reason("covenant_warning", covenant="late", value="4.50 %", limit="4 %"),
        Reason("trigger_next", covenant="late", limit="5 %"),
    ],
}
_USUAL = {"lender": "Bank", "commitment": "250000", "pool": "900.00", "net_eligible": "800.00", "drawn": "500.00"}
FACILITIES = {
    "SENIOR": {
        **_USUAL, "title": "Senior line", "status": "critical", "borrowing_base": "700.00", "availability": "-1200.50",
        "covenants": {"arrears": COVENANT | {"level": "default", "value": 9.0, "headroom_points": -1.0}},
    },
    "TAIL": {
        **_USUAL, "title": "Tail line", "status": "incomplete", "borrowing_base": "4057.02", "availability": "3557.02",
        "covenants": {"late": COVENANT | {"level": "warning"}, "write_offs": COVENANT | UNKNOWN},
    },
}  # fmt: skip


def facilities():
    """Return the part ``facilities`` of metrics.json, with its verdicts in English."""
    told = {key: {"verdict": [str(reason) for reason in reasons]} for key, reasons in VERDICTS.items()}
    return {key: copy.deepcopy(one) | told[key] for key, one in FACILITIES.items()}


def codes():
    """Return the part of that name among the codes of reasons."""
    return {key: [reason.as_dict() for reason in reasons] for key, reasons in VERDICTS.items()}
