-- What an officer's answer counts of the clips of hundreds of cameras, so that it is read from one index alone. current_state: of the clip's current
-- analysis, NULL while it has none. counted_at: when it began; a clip without a known time counts when it arrived. clip_by_camera stays, although it
-- begins alike: it is the foreign key's, and with an index whose columns change in its place every such change would wait for the camera's lock.
ALTER TABLE clip
    ADD COLUMN current_state ENUM('done', 'failed') NULL,
    ADD COLUMN counted_at DATETIME(6) GENERATED ALWAYS AS (COALESCE(started_at, received_at)) STORED,
    ADD KEY clip_tally (camera_id, counted_at, current_state);

UPDATE clip p JOIN analysis a ON a.current_of = p.clip_id SET p.current_state = a.state;
