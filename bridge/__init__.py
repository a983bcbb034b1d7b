"""The shared core of coze-bridge: from a chat message to a Coze agent's finished reply."""
