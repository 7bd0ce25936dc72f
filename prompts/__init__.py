"""Prompt files of the built-in applications: `<application>/<language>.yaml`, read by `assistant.prompts`."""
