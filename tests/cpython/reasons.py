"""Why a test method of CPython's does not pass in the sandbox: the reviewed table.

A rule is a category, the modules it is for, and patterns that the method's name and the first line
of what it said must match. The first rule that matches counts; what no rule matches is unreviewed,
and fails the suite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    text: str
    counted: bool  # in the rate: everything but what no sandbox of this kind, or no Linux, can run


CATEGORIES = {
    "elsewhere": Category("not run by a Debian machine's own Python either: for another system, "
                          "another build, or left out by the suite itself", False),
    "processes": Category("starts a process", False),
    "sockets": Category("opens a socket, or needs TLS or the network", False),
    "ctypes": Category("needs ctypes", False),
    "c-api": Category("tests the C API through CPython's C test modules, which the product has not",
                      True),
    "signals": Category("needs masks of signals, waiting for them, or signals from outside", True),
    "modules": Category("tests a module for a thing that WASI has not (terminal, users, shared "
                        "memory, dbm, Tk)", True),
    "posix": Category("needs a POSIX call that WASI has not", True),
    "32-bit": Category("wants 64-bit pointers or more than 4 GiB of memory", True),
    "size": Category("writes more than a job's file system holds", True),
    "installed": Category("looks for parts of an installation that the image leaves out", True),
    "locale": Category("wants a locale that is not there", True),
    "platform": Category("left out by the suite itself where sys.platform is 'wasi'", True),
    "design": Category("sees a difference that is meant (docs/PYTHON.md)", True),
}


@dataclass(frozen=True)
class Rule:
    category: str
    modules: str
    method: re.Pattern[str]
    message: re.Pattern[str]


def rule(category: str, message: str, modules: str = "", method: str = "") -> Rule:
    assert category in CATEGORIES
    return Rule(category, modules, re.compile(method), re.compile(message))


RULES = [
    # What the suite leaves out on any system, or on Linux; what another build would have.
    rule("elsewhere", r"[Ww]in(dows|32|reg|sound)|\b_msi\b|msvcrt|NTFS|[Mm]ac ?OS|OS X|OSX|Solaris"
         r"|BSD|AIX|[Aa]ndroid|Linux 2\.6|[Kk]queue|[Dd]evpoll|_getfinalpathname|'nt' module"
         r"|getwindowsversion|code pages|altsep|case-insensitive|Emscripten|chflags|\blchmod"
         r"|plutil|test\.bat|O_(EX|SH)LOCK|startfile|fcopyfile|PEP 370|\._pth"),
    rule("elsewhere", r"gettotalrefcount|[Dd]ebug build|Py_DEBUG|EXTRA_FUNCTIONALITY|NDEBUG"
         r"|showrefcount|-bb option|_testembed|directory could not be found|not installed"
         r"|installed Python|need a debug|verbose mode|dtrace|systemtap|gdb"),
    rule("elsewhere", r"not enough memory|at least 2 GiB|loads of disk-space|on 32-bit systems"
         r"|needs INT_MAX < PY_SSIZE_T_MAX"),
    rule("elsewhere", r"in pure Python|Only run for|for subclasses|incompatible format|^XXX"
         r"|associated pickler|pyfakefs|docutils|Desired but|tzdata|[Nn]umpy|memmbers|in 3\.13"
         r"|to-do list|inner classes|GH-93910|issue 44895|too fragile|compat in email5|10646"
         r"|chunk coding|decimal_point is not|version of Expat|QName rewriting|suitable object"
         r"|really long name|SQLite <|gh-92228|deque iterator|__slots__|read-only type|bpo-38323"
         r"|not implemented|spurious|\*NIX|buildbots|#20128|See test_init|as of 3\.11"
         r"|ParsingError|SOURCE_DATE_EPOCH is set|must be a TTY|not on tty|decimal point separator"
         r"|no name attribute|external binary|os\.link(\(\))? (to be missing|is present)"
         r"|unnecessary on this platform|text mode not available"
         r"|CAP_DAC_OVERRIDE|needs to be ASCII|to ascii"
         r"|can't set the (file|directory) read-only|resource 'xpickle'"
         r"|SIGINT to not be ignored|Element\.copy|requires (ip|ifconfig)$"),
    rule("elsewhere", r"^$", "test_selectors"),
    rule("elsewhere", r"not ready yet|broken \(see|high-level channels|take several hours"
         r"|pystate\.c|blocking forever", "test_interpreters test__xxsubinterpreters"),
    rule("elsewhere", r"dir_fd is supported", "test_shutil"),
    rule("elsewhere", r"generators are not reentrant|Cannot get total reference|known bug"
                      r"|issue37251"
         r"|UINT_MAX < SIZE_MAX|nturl2path|url2path function|not a TTY|requires (arp|lanscan"
         r"|netstat)"
         r"|path separator|zlib is a builtin|PYTHONSAFEPATH|F_GETPATH|failed to query terminal size"
         r"|at least 2 groups|non-root account|non-UTC/GMT"),
    # Locales that a Debian without generated ones lacks too.
    rule("locale", r"[Ll]ocale|is not supported on this platform"),
    # Starting a process, and what is only of use with several.
    rule("processes", r"support(s)? processes|requires subprocess|\bfork|multiprocessing"
         r"|os\.?'?(spawn|posix_spawn|exec|system|popen|wait|WNOHANG|killpg|getp|setp|sets|gets|tc)"
         r"|'(waitpid|spawnv|system|pidfd)|execve|getpg|_posixsubprocess|requires a shell"
         r"|needs a shell|sched(_| affinity)|POSIX scheduler|^no function$|resource module"
         r"|pipes module|ChildWatcher|pidfd|sys\.executable"
         r"|(tar|zip|unzip|gzip and zlib) command|compress program|clang-14|bash or ksh|ls required"
         r"|runnable browser|/proc/self|vfork|ensurepip|openpty|pty and signal|SIGSTOP"),
    rule("processes", r"NotImplementedError|Don't have /dev/stdin|StopIteration", "test_asyncio",
         r"subprocess|Watcher"),
    rule("processes", "", "test_subprocess test_regrtest test_faulthandler test_venv test_ensurepip"
         " test_cmd_line test_cmd_line_script test_multiprocessing_fork test_embed test_eintr"
         " test_multiprocessing_forkserver test_multiprocessing_spawn"
         " test_tools test_dtrace test_gdb test_repl test_launcher test_fork1 test_wait3"
         " test_wait4"),
    rule("processes", "", "test_concurrent_futures", r"Process|FailingInitializer"),
    rule("processes", r"test_CLI", "test_doctest test_pdb test_zipimport_support"),
    rule("processes", r"^AttributeError: module 'os' has no attribute 'WNOHANG'", "test_fcntl"),
    rule("ctypes", r"ctypes"),
    rule("ctypes", "", "test_ctypes test_stable_abi_ctypes"),
    rule("sockets", r"[Ss]ocket|SSL|\bssl\b|IPv6|ipv6|'(network"
                    r"|urlfetch)' (resource )?(is )?not enabled"
         r"|network (resource|is)|gaierror|Name or service|UDPLITE|AF_[A-Z]+|recvmsg|sendmsg"
         r"|sendfile"
         r"|CAN (ISOTP|J1939)|TIPC|HTTPSConnection|CMSG_|send_fds|lookup failure|siginterrupt"
         r"|EpollSelector|httpd|epoll"),
    rule("sockets", "", "test_socket test_ssl test_asyncore test_asynchat test_ftplib test_imaplib"
         " test_poplib test_smtplib test_smtpd test_telnetlib test_nntplib test_httpservers"
         " test_xmlrpc test_docxmlrpc test_socketserver test_select test_poll test_epoll"
         " test_urllib2_localnet test_urllib2net test_urllibnet test_xmlrpc_net test_smtpnet"
         " test_timeout test_wsgiref test_selectors test_robotparser test_httplib"),
    rule("sockets", r"[Nn]ot supported|tuple index|Failed to import", "test_asyncio test_support"
         " test_stat test_signal test_pathlib test_urllib_response test_urllib test_urllib2"),
    rule("sockets", r"NotImplementedError|_accept_connection|_start_serving|cannot access local"
         r"|status 70", "test_asyncio", r"[Cc]onnection|datagram|create_server|sock_client|drain"),
    rule("sockets", r"status 70", "test_logging", r"listen"),
    rule("sockets", r"Operation not supported|'NoneType' object", "test_logging",
         r"(Socket|Datagram|HTTP|SysLog)Handler"),
    rule("sockets", r"Operation not supported", "test_pathlib test_signal", r"socket"),
    rule("sockets", r"OSError\(95", "test_pydoc"),
    rule("c-api", r"_test(internal)?capi|_testbuffer|_testmultiphase|_testclinic|ndarray object"
         r"|a C module of CPython's tests|xxlimited|_xxtestfuzz|_xxsubinterpreters|hamt"
         r"|legacy Unicode C API|_testimportmultiple|ContainerNoGC"),
    rule("c-api", "", "test_capi test_call test_stable_abi_ctypes"),
    rule("signals", r"alarm|itimer|pthread_(kill|sigmask|getcpu)|sigpending|sigtimedwait|sigwait"
         r"|valid_signals|_stack_overflow"),
    rule("signals", r"NotImplementedError|_(check_signal|handle_signal|signal_handlers|watcher)",
         "test_asyncio", r"test_unix_events"),
    rule("design", r"pthread-stubs", "test_sys"),
    rule("design", r"^AssertionError", "test_os", r"FwalkTests"),
    rule("processes", r"sem_open|_posixshmem"),
    rule("modules", r"No module named '_?(mmap|termios|readline|resource|syslog|spwd|nis|curses"
                    r"|uuid"
         r"|tkinter|turtle|dbm|gdbm|hashlib|hashopenssl)'|[Tt]ermios|ndbm|C _uuid"
         r"|_generate_time_safe"
         r"|_hashlib|_hashopenssl|'(curses|audio|gui)' resource|openSSL|OpenSSL|syslog"),
    rule("modules", "", "test_curses test_tk test_ttk_guionly test_ttk_textonly test_tix test_tcl"
         " test_turtle test_idle test_readline test_mmap test_resource test_syslog test_nis"
         " test_spwd"
         " test_ossaudiodev test_dbm_gnu test_dbm_ndbm test_pty test_ioctl test_winsound"),
    rule("32-bit", r"64bit platform|64-bit"),
    rule("size", r"No space left|largefile"),
    rule("installed", r"installed location|pyconfig\.h|config-3\.11|Makefile|__phello__"
                      r"|/usr/local/include"
         r"|env_ldshared|load_dynamic|[Dd]ynamic loading|user site|setdlopenflags|RTLD"),
    rule("design", "", "test_os", r"FDInheritance|test_inheritable"),
    rule("design", r"'/work' != ''|'' -> ", "test_sys test_site"),
    rule("platform", r"-E was given|large timestamps|FS encoding to match|UNENCODABLE|unencodable"
         r"|undecodeable|Too slow to run on non-Linux|multiarch|no suffixes|tzset"),
    rule("posix", r"[Nn]ot supported|pathconf", "test_os test_posix"),
    rule("posix", r"^AssertionError", "test__xxsubinterpreters", r"thread"),
    rule("posix", r"condition variables cannot be interrupted", "test_threadsignals"),
    rule("posix", r"F_NOTIFY|F_SETPIPE_SZ|need root privilege|root privilege|dir_fd is not|1 != 0"
         r"|^AssertionError: 0 != 1", "test_fcntl test_os test_shutil test_support"),
    rule("c-api", r"Error on timestamp", "test_time"),
    rule("c-api", r"__class_getitem__|unsupported callable|SkipTest|__traceback__",
         "test_genericclass"
         " test_inspect test_generators test_traceback"),
    rule("posix", r"os\.?'?\.?(pipe|dup|mkfifo|mknod|eventfd|memfd|splice|copy_file|getrandom"
                  r"|statvfs"
         r"|openpty|makedev|initgroups|getgrouplist|getres|setres|O_PATH|RWF|setegid|seteuid|setgid"
         r"|setregid|setreuid|setuid|lockf)|posix\.|need (os|posix|time)\.|needs? dir_fd|/dev/fd"
         r"|mkfifo|mknod|extended attribute|fwalk|'pipe'|dup2|disk_usage|thread_time|clock_settime"
         r"|file holes|initgroups|does not use a file descriptor|O_PATH|fd support"),
]


def find(module: str, method: str, message: str) -> str | None:
    """The category, or None when nobody has looked at this yet."""
    first = message.split("\n", 1)[0]
    for row in RULES:
        if row.modules and module not in row.modules.split():
            continue
        if row.method.search(method) and row.message.search(first):
            return row.category
    return None
