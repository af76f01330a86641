-- Evidence rows of a camera are a chain; its end stands with the camera, whose row is locked by whoever appends.
-- Rows from before have no place in it: camera_id NULL.
ALTER TABLE evidence
    ADD COLUMN camera_id BIGINT UNSIGNED NULL,
    ADD COLUMN chain_seq BIGINT UNSIGNED NULL,
    ADD COLUMN prev_hash BINARY(32) NULL,
    ADD COLUMN row_hash BINARY(32) NULL,
    ADD UNIQUE KEY evidence_chain (camera_id, chain_seq);

ALTER TABLE camera
    ADD COLUMN evidence_seq BIGINT UNSIGNED NOT NULL DEFAULT 0,
    ADD COLUMN evidence_hash BINARY(32) NULL;

-- held_at: every object of the incident's evidence is under Object Lock and legal hold. hold_due is 1 while a reported incident's is not.
ALTER TABLE incident
    ADD COLUMN held_at DATETIME(6) NULL,
    ADD COLUMN hold_error VARCHAR(255) NULL,
    ADD COLUMN hold_due TINYINT GENERATED ALWAYS AS
        (IF(held_at IS NULL AND merged_into IS NULL AND status IN ('reported', 'dispatched', 'closed'), 1, NULL)) VIRTUAL,
    ADD KEY incident_hold_due (hold_due, incident_id);
