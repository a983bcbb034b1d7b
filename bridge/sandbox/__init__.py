"""Every outside party emulated, the unmodified application between them, and a page to watch."""
