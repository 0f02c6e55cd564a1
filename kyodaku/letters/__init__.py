"""Letters to site owners: hosts that closed a gate although a licence says that their pictures are free.

`stopped` finds them in a run, `lines` writes the smallest robots.txt group that would let us in and proves it
with the gates themselves, `words` writes the letter in English and Japanese.
"""
