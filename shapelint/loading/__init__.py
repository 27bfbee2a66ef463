"""The user's model: its file imported, its class called, its inputs made."""
