"""Asking again before a release: does everything that let an image in still say so?

`asking` puts the gates' questions once more, `notebook` remembers what was answered until all is, `stage` is
`kyodaku recheck`. `overlay`, which needs no extra, lays the answers over the crawl's facts for every reader.
"""
