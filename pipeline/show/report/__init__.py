"""The page of a corpus's report: plain HTML, CSS and JavaScript, put into one file when it is written."""
