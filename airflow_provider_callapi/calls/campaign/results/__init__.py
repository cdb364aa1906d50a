"""What a finished campaign returns and writes: the summary, the results file and the campaign report."""
