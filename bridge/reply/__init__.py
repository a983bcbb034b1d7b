"""From growing Markdown to as few, as timely edits as possible."""
