-- A finding's frame comes plain and annotated, each with and without a mask.
ALTER TABLE evidence MODIFY role
    ENUM('original', 'key_frame', 'key_frame_annotated', 'key_frame_masked', 'key_frame_annotated_masked', 'masked_copy') NOT NULL;
