"""Bring the loopback interface of this network namespace up, then become the command that follows.

A new namespace has one that is down; and a fresh machine need not have `ip`.
"""

import fcntl
import os
import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    request = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
    flags = struct.unpack("16sh14x", request)[1] | IFF_UP
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))
os.execvp(sys.argv[1], sys.argv[1:])
