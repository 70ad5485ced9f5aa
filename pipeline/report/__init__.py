"""The report of a finished corpus: numbers over all of its rows, and a sample of rows to look at and listen to.

`report.write_report` reads the corpus once without audio, for the numbers and to choose the rows, and then the chosen
rows with their clips. `pipeline.show.report` makes the page.
"""
