"""Velocity templates: `$references`, `##` comments, `#if`, `#foreach` and `#set`."""
