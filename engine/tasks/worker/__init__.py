"""What runs inside a process of a task: requests as documents, the plan, the responses."""
