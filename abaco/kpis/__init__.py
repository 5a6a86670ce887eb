"""KPIs: definitions from params/kpis.yml, sums over the tape, and the values, statuses and history made of them."""
