-- A finding is about a clip (analysis_id) or about an edge event of its camera (event_id), never both.
ALTER TABLE finding
    MODIFY analysis_id BINARY(16) NULL,
    ADD COLUMN event_id BINARY(16) NULL AFTER analysis_id,
    ADD UNIQUE KEY finding_of_event (camera_id, event_id);
