-- Silence is told by what coverage records are about and not by when any record came: clips, tampering and minutes long past may
-- come while nobody says what the cameras record now. heard_until: up to when they tell, NULL before the first that counts.
ALTER TABLE gateway_watch RENAME COLUMN last_record_at TO heard_until;
ALTER TABLE gateway_watch MODIFY heard_until DATETIME(6) NULL, ADD KEY gateway_watch_clock (clock_wrong_since);
