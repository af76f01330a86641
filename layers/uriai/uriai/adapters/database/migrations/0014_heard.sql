-- When a record first named a camera; NULL: none has yet. Those are looked for every minute among all cameras of the country.
ALTER TABLE camera
    ADD COLUMN heard_at DATETIME(6) NULL,
    ADD KEY camera_unheard (heard_at, created_at);

UPDATE camera m JOIN camera_watch w ON w.camera_id = m.camera_id SET m.heard_at = w.expected_from;
