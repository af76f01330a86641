"""The outside: objects (S3), database (pymysql), vision (onnxruntime, OpenCV), chat platforms."""
