"""KPIs: definitions from params/kpis.yml, sums over the tape, and values, statuses and history of them."""
