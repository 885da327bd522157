# SPDX-License-Identifier: BSD-3-Clause
#
# Does a process that lives on grow? Its samples, a line each, are a time below
# END and then the figures that WHAT names; SHARE and SLACK are what each may
# rise by. The second half is looked at: what is made ready at first and kept is
# no growth. Says by how much the highest figure of the last quarter exceeds the
# highest of the quarter before, or nothing; FIGURES is a file for all of them.
# The status is 2 when the process did not live on.

BEGIN {
	n = split(what, name)
	split(share, of)
	split(slack, and)
}

{
	quarter = int($1 * 4 / end)
	quarter = quarter > 3 ? 3 : quarter
	seen[quarter]++
	for (i = 1; i <= n; i++)
		if ($(i + 1) > most[quarter, i])
			most[quarter, i] = $(i + 1)
}

END {
	if (seen[2] < 3 || seen[3] < 3)
		exit 2
	for (i = 1; i <= n; i++) {
		if (most[3, i] > most[2, i] * (1 + of[i]) + and[i])
			print name[i] " grew from " most[2, i] " to " most[3, i]
		if (figures)
			print name[i], most[0, i] + 0, most[1, i] + 0, most[2, i], most[3, i] >figures
	}
}
