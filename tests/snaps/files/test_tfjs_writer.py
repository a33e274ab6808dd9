"""TFJSWriter: what it writes and refuses; tests/pipelines loads its files with TensorFlow.js."""
