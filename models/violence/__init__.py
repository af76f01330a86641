"""The violence classifier: MobileNetV2 on frame differences and a bidirectional LSTM, one probability a 2 s window."""
