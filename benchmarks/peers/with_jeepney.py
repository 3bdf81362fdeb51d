"""Answer git's `get` from the Secret Service, with jeepney's blocking connection."""

import sys

from jeepney import DBusAddress, new_method_call
from jeepney.io.blocking import open_dbus_connection

SERVICE = DBusAddress("/org/freedesktop/secrets", "org.freedesktop.secrets", "org.freedesktop.Secret.Service")

request = dict(line.rstrip("\n").partition("=")[::2] for line in sys.stdin)
wanted = {"protocol": request["protocol"], "server": request["host"]}
with open_dbus_connection() as connection:
    call = connection.send_and_get_reply
    _, session = call(new_method_call(SERVICE, "OpenSession", "sv", ("plain", ("s", "")))).body
    unlocked, _ = call(new_method_call(SERVICE, "SearchItems", "a{ss}", (wanted,))).body
    (secrets,) = call(new_method_call(SERVICE, "GetSecrets", "aoo", (unlocked[:1], session))).body
for _, _, secret, _ in secrets.values():
    print(f"username=hf_user\npassword={secret.decode()}")
