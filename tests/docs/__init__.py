"""The documentation is tested: links, commands, and that it says what the code does."""
