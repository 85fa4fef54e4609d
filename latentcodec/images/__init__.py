"""Pictures: Pillow images, arrays and tensors, their modes and metadata."""
