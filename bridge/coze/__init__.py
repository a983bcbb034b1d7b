"""The Coze Open API: what is asked of it, what it answers, and how it fails."""
