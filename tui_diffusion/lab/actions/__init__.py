"""What each action does: functions of a lab, which names them ``action_…``, by what they act on."""
