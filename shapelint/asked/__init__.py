"""What the user asks for: settings, a target, inputs, and the request made of them. No
torch."""
