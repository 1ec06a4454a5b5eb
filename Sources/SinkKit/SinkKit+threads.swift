// Sinks that block in system calls run on a `BlockingThread`: it is part of what the kit gives them.
@_exported public import Threads
