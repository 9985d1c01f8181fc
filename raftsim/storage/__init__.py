"""What a server keeps on its disk: a segmented log of entries and vote records, snapshots, its identity, and a lock.

What can go wrong, and the answer to it:

    no space, error on write or sync, read-only   the write is refused, and all later ones (B40); a start reads what is
                                                  there, writes it again and goes on. A snapshot of our own that can not
                                                  be saved is given up, and the log goes on.
    a part written                                the rest is written, too
    torn write at the end of the log              cut and noted: it was never acknowledged
    corrupted entries or vote record              refused, with the way back (B42)
    missing segment                               refused, unless a snapshot stands for all that was before its end
    log gone                                      refused: the votes went with it (B44)
    data of another server or cluster             refused
    newer format, foreign file                    refused
    damaged or truncated snapshot                 noted; the one before it and the log stand in for it, else refused
    snapshot not saved or received to its end     removed, the latter is noted
"""
