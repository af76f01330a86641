-- What `watch` found lately and nobody was told of is looked for every minute.
ALTER TABLE coverage_hole ADD KEY coverage_hole_found (found_at);

-- flagged_at: when a signed record turned out to stand wrongly in its chain (reordered, forked, broken_link).
ALTER TABLE record
    ADD COLUMN flagged_at DATETIME(6) NULL,
    ADD KEY record_flagged (flagged_at, gateway_id);
