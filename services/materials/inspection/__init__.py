"""What a file is, told by its content: in a child process with limits, because what arrives may be hostile.

`Inspector` starts the child and reads its answer; everything below `child` runs in there and nowhere else.
"""
