"""From a picture to a file and back."""
