"""The processes of a task, as the server sees them: started, given work, watched, replaced."""
