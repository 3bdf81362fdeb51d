"""Answer git's `get` from the Secret Service, with secretstorage."""

import sys

import secretstorage

request = dict(line.rstrip("\n").partition("=")[::2] for line in sys.stdin)
connection = secretstorage.dbus_init()
for item in secretstorage.search_items(connection, {"protocol": request["protocol"], "server": request["host"]}):
    print(f"username=hf_user\npassword={item.get_secret().decode()}")
    break
connection.close()
