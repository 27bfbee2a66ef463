"""Training programs of different styles, each with one mistake or with none although it looks like one."""
