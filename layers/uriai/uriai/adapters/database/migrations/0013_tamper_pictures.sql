-- A record of tampering has a picture beside it, kept as long as the incident of its event and its centre's period ask for.
-- event_id NULL: filed before it was written down. picture_deletion_at: its deletion is decided and audited; picture_deleted_at:
-- it is gone. Between the two a run finishes it.
ALTER TABLE record
    ADD COLUMN event_id BINARY(16) NULL,
    ADD COLUMN picture_deletion_at DATETIME(6) NULL,
    ADD COLUMN picture_deletion_reason ENUM('clear', 'dismissed', 'unplaced') NULL,
    ADD COLUMN picture_deletion_error VARCHAR(255) NULL,
    ADD COLUMN picture_deleted_at DATETIME(6) NULL,
    ADD KEY record_picture_expiring (type, picture_deletion_at, received_at),
    ADD KEY record_picture_condemned (picture_deleted_at, picture_deletion_at, record_id);
