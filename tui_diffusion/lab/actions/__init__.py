"""What each action does: methods ``action_…`` of a class a file, by what they act on."""
