"""Everything of `.auth` of the official client, over TLS with a CA of its own."""

import asyncio
import os

from actian_vectorai import AsyncVectorAIClient
from actian_vectorai.exceptions import VectorAIError

PASSWORD = "MyNewSecurePwd!2"
OTHER = "AnotherSecurePwd!3"


loop = asyncio.new_event_loop()


class Auth:
    """The namespace of the asynchronous client, one call after the other."""

    def __init__(self, client):
        self._auth = client.auth

    def __getattr__(self, name):
        call = getattr(self._auth, name)
        return lambda *args, **named: loop.run_until_complete(call(*args, **named))


def auth_of(api_key=None):
    return Auth(AsyncVectorAIClient(
        url=os.environ["TARGET"],
        rest_url=os.environ["BASE_URL"],
        api_key=api_key,
        tls=True,
        tls_ca_cert=os.environ["CA"],
        max_retries=0,
    ))


def refused(call, status):
    """It fails as the client makes an error of this HTTP status; the words are often its own."""
    try:
        call()
    except VectorAIError as error:
        assert error.code == status, repr(error)
    else:
        raise AssertionError(f"not refused with {status}")


auth = auth_of()
# The administrator that the operator made is the same account.
assert auth.admin_exists()
# In the words of the client: it takes every 409 for a collection.
refused(lambda: auth.create_admin(PASSWORD), 409)
jwt = auth.login(password=os.environ["PASSWORD"]).token
auth.delete_admin(admin_jwt=jwt)
assert not auth.admin_exists()
refused(lambda: auth.login(password=os.environ["PASSWORD"]), 401)
auth.create_admin(PASSWORD)
assert auth.admin_exists()
answer = auth.login(password=PASSWORD)
assert answer.expires_in > 0 and answer.message == "Login successful"
jwt = answer.token

assert auth.is_auth_enabled(admin_jwt=jwt)
assert auth.set_auth_enabled(True, admin_jwt=jwt)
refused(lambda: auth.set_auth_enabled(False, admin_jwt=jwt), 403)

made = auth.create_api_key("ci", permission="read,write", description="of tests", admin_jwt=jwt)
assert made.api_key.startswith("vdai_") and made.permission == "read,write"
refused(lambda: auth.create_api_key("ci", admin_jwt=jwt), 409)
listed = auth.list_api_keys(admin_jwt=jwt)
assert [(key.id, key.name, key.description) for key in listed] == [(made.id, "ci", "of tests")]
rotated = auth.rotate_api_key(made.id, admin_jwt=jwt)
assert rotated.id == made.id and rotated.api_key != made.api_key

manager = auth.create_api_key("manager", permission="read,write,admin", admin_jwt=jwt)
by_key = auth_of(manager.api_key)
short = by_key.create_api_key(
    "short", permission="read", will_expire=True, expires_in_seconds=0, admin_api_key=manager.api_key
)
assert short.will_expire and short.expired_at
refused(lambda: auth.rotate_api_key(short.id, admin_jwt=jwt), 409)
refused(lambda: by_key.is_auth_enabled(admin_jwt=manager.api_key), 401)
by_key.delete_api_key(short.id)
refused(lambda: auth.delete_api_key(short.id, admin_jwt=jwt), 404)
refused(lambda: auth_of(made.api_key).list_api_keys(), 401)
refused(lambda: auth_of(rotated.api_key).list_api_keys(), 403)
refused(lambda: auth.list_api_keys(), 401)

refused(lambda: auth.reset_admin_password("wrong", OTHER), 401)
auth.reset_admin_password(PASSWORD, OTHER)
refused(lambda: auth.is_auth_enabled(admin_jwt=jwt), 401)
assert auth.login(password=OTHER).token
print("done")
