"""Decoding and ONNX inference. The only package that imports numpy, OpenCV and onnxruntime."""
