"""How photos and files reach Coze without a platform's token leaving the process."""
