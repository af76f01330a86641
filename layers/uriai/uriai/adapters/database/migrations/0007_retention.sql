-- How long a centre's clips are kept; the law asks for 60 days at least.
ALTER TABLE centre ADD COLUMN retention_days SMALLINT UNSIGNED NOT NULL DEFAULT 60,
    ADD CONSTRAINT centre_retention CHECK (retention_days BETWEEN 60 AND 3650);

-- deletion_at: the deletion is decided and audited; deleted_at: the objects are gone. Between the two a run finishes it.
ALTER TABLE clip
    ADD COLUMN deletion_at DATETIME(6) NULL,
    ADD COLUMN deletion_reason ENUM('clear', 'failed', 'dismissed', 'unplaced') NULL,
    ADD COLUMN deletion_error VARCHAR(255) NULL,
    ADD COLUMN deleted_at DATETIME(6) NULL,
    ADD KEY clip_expiring (camera_id, deletion_at, received_at),
    ADD KEY clip_condemned (deleted_at, deletion_at, clip_id);

ALTER TABLE evidence ADD COLUMN deleted_at DATETIME(6) NULL;

-- At most one row: the camera that the run has finished with, and when the last run had seen all.
CREATE TABLE retention_run (
    one TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    camera_id BIGINT UNSIGNED NOT NULL,
    finished_at DATETIME(6) NULL
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_520_ci;
