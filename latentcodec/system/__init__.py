"""What depends on the machine: files, processors, the checkout."""
