"""Works out under which licenses each row of a corpus may be used: its text, its models, its voices."""
