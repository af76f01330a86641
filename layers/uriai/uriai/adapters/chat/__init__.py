"""Chat platforms: one small module per platform between its JSON and the conversation."""
