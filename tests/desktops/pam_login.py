"""Logs USER in by PAM, and runs COMMAND as the session, as a display manager does:

    pam_login.py SERVICE USER DESKTOP COMMAND...

SERVICE is one of /etc/pam.d. The password is read from standard input, one line; with an empty one nobody is
authenticated, as greetd does it for an automatic login. DESKTOP is what XDG_SESSION_DESKTOP is to be. Root runs it,
below a service of systemd. Source: pam(3), pam_conv(3).
"""

import ctypes
import itertools
import os
import pwd
import subprocess
import sys
from typing import Any, ClassVar

pam = ctypes.CDLL("libpam.so.0")
libc = ctypes.CDLL(None)
libc.calloc.restype = ctypes.c_void_p
libc.strdup.restype = ctypes.c_void_p
pam.pam_strerror.restype = ctypes.c_char_p
pam.pam_getenvlist.restype = ctypes.POINTER(ctypes.c_char_p)
ESTABLISH, DELETE = 2, 4


class Message(ctypes.Structure):
    """What PAM has to say: struct pam_message."""

    _fields_: ClassVar = [("style", ctypes.c_int), ("text", ctypes.c_char_p)]


class Response(ctypes.Structure):
    """What is answered: struct pam_response."""

    _fields_: ClassVar = [("text", ctypes.c_void_p), ("code", ctypes.c_int)]


CONVERSATION = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(ctypes.POINTER(Message)),
    ctypes.POINTER(ctypes.POINTER(Response)),
    ctypes.c_void_p,
)


def talk(count: int, messages: Any, responses: Any, _data: object) -> int:
    """Answer what PAM asks, with the password."""
    answers = ctypes.cast(libc.calloc(count, ctypes.sizeof(Response)), ctypes.POINTER(Response))
    for i in range(count):
        if messages[i].contents.style == 1:  # a question that is not shown: the password
            answers[i].text = libc.strdup(password)
    responses[0] = answers
    return 0


def do(what: str, *arguments: object) -> None:
    """Call that function of PAM, and end the program where it fails."""
    code = getattr(pam, what)(handle, *arguments)
    if code:
        sys.exit(f"{what}: {pam.pam_strerror(handle, code).decode()}")


service, user, desktop, *command = sys.argv[1:]
password = sys.stdin.buffer.readline().rstrip(b"\n")
person = pwd.getpwnam(user)
handle, talking = ctypes.c_void_p(), CONVERSATION(talk)
conversation = (ctypes.c_void_p * 2)(ctypes.cast(talking, ctypes.c_void_p), None)
pam.pam_start(service.encode(), user.encode(), ctypes.byref(conversation), ctypes.byref(handle))
if password:
    do("pam_authenticate", 0)
    do("pam_acct_mgmt", 0)
for word in ("XDG_SESSION_TYPE=wayland", "XDG_SESSION_CLASS=user", f"XDG_SESSION_DESKTOP={desktop}"):
    do("pam_putenv", word.encode())
os.initgroups(user, person.pw_gid)
do("pam_setcred", ESTABLISH)
do("pam_open_session", 0)
environment = {"HOME": person.pw_dir, "USER": user, "LOGNAME": user, "SHELL": person.pw_shell, "PATH": os.defpath}
for word in itertools.takewhile(bool, pam.pam_getenvlist(handle)):
    name, _, value = word.decode().partition("=")
    environment[name] = value
session = subprocess.run(
    ["-sh", "-c", '. /etc/profile; exec "$@"', "sh", *command],
    executable="/bin/sh",
    env=environment,
    cwd=person.pw_dir,
    group=person.pw_gid,
    user=person.pw_uid,
    check=False,
)
do("pam_close_session", 0)
do("pam_setcred", DELETE)
pam.pam_end(handle, 0)
sys.exit(session.returncode if session.returncode >= 0 else 128 - session.returncode)
