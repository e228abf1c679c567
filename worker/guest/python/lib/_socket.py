"""Stands in for the C module: there are no sockets in the guest.

The modules on top (socket, asyncio, email, urllib, http) can be imported, and much of them needs
no socket; making one is an OSError.
"""
import errno as _errno
import os as _os

AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6 = 0, 1, 2, 10
SOCK_STREAM, SOCK_DGRAM, SOCK_RAW = 1, 2, 3
SOCK_NONBLOCK, SOCK_CLOEXEC = 0o4000, 0o2000000
SOL_SOCKET, SO_REUSEADDR, SO_TYPE, SO_ERROR, SO_BROADCAST, SO_KEEPALIVE = 1, 2, 3, 4, 6, 9
IPPROTO_IP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_IPV6 = 0, 6, 17, 41
TCP_NODELAY, IPV6_V6ONLY = 1, 26
AI_PASSIVE, AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_ADDRCONFIG = 1, 2, 4, 1024, 32
EAI_NONAME, EAI_FAMILY, EAI_SOCKTYPE = -2, -6, -7
NI_NUMERICHOST, NI_NUMERICSERV = 1, 2
SHUT_RD, SHUT_WR, SHUT_RDWR = 0, 1, 2
MSG_PEEK, MSG_DONTWAIT, MSG_WAITALL = 2, 64, 256
SOMAXCONN = 4096
INADDR_ANY, INADDR_LOOPBACK, INADDR_BROADCAST, INADDR_NONE = 0, 0x7f000001, 0xffffffff, 0xffffffff
has_ipv6 = False
error = OSError
timeout = TimeoutError
CAPI = None


class herror(OSError):
    pass


class gaierror(OSError):
    pass


herror.__module__ = gaierror.__module__ = "socket"
_default_timeout = None


def _refuse(*args, **kwargs):
    raise OSError(_errno.ENOTSUP, _os.strerror(_errno.ENOTSUP))


def _unknown(*args, **kwargs):
    raise gaierror(EAI_NONAME, "Name or service not known")


class socket:
    """Cannot be made."""
    __slots__ = ()

    def __init__(self, family=-1, type=-1, proto=-1, fileno=None):
        _refuse()

    family = type = proto = timeout = 0
    accept = _accept = bind = close = connect = connect_ex = detach = fileno = _refuse
    getpeername = getsockname = getsockopt = gettimeout = listen = recv = recv_into = _refuse
    recvfrom = recvfrom_into = send = sendall = sendto = setblocking = setsockopt = _refuse
    settimeout = shutdown = _refuse


SocketType = socket
close = dup = socketpair = if_nameindex = if_nametoindex = if_indextoname = _refuse
getaddrinfo = gethostbyname = gethostbyname_ex = gethostbyaddr = getnameinfo = _unknown
getservbyname = getservbyport = getprotobyname = _refuse


def gethostname():
    return "localhost"


def getdefaulttimeout():
    return _default_timeout


def setdefaulttimeout(value):
    global _default_timeout
    _default_timeout = None if value is None else float(value)


def htons(value):
    return (value & 0xff) << 8 | value >> 8 & 0xff


def htonl(value):
    return int.from_bytes(value.to_bytes(4, "little"), "big")


ntohs, ntohl = htons, htonl


def inet_aton(text):
    import ipaddress
    try:
        return ipaddress.IPv4Address(text).packed
    except ValueError:
        raise OSError("illegal IP address string passed to inet_aton") from None


def inet_ntoa(packed):
    if len(packed) != 4:
        raise OSError("packed IP wrong length")
    return ".".join(map(str, packed))


def inet_pton(family, text):
    import ipaddress
    try:
        kind = ipaddress.IPv4Address if family == AF_INET else ipaddress.IPv6Address
        return kind(text).packed
    except ValueError:
        raise OSError("illegal IP address string passed to inet_pton") from None


def inet_ntop(family, packed):
    import ipaddress
    try:
        return str(ipaddress.ip_address(bytes(packed)))
    except ValueError:
        raise ValueError("invalid length of packed IP address string") from None
