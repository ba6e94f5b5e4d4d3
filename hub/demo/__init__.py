"""The main job played through the published interfaces, with fictitious people."""
