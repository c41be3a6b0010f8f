"""An SMTP server for tests: smtp_server.py tls|starttls|plain USER PASSWORD, in a directory with
mail.crt and mail.key. Says its port, and writes each mail that it takes as N.eml."""

import asyncio
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

MODE, USER, PASSWORD = sys.argv[1:4]


class Keeper:
    taken = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.taken += 1
        head = f"X-Envelope: {envelope.mail_from} {' '.join(envelope.rcpt_tos)}\r\n"
        with open(f"{self.taken}.eml", "wb") as file:
            file.write(head.encode() + envelope.content)
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login.decode() == USER and data.password.decode() == PASSWORD
    # Not handled: the server says so itself.
    return AuthResult(success=right, handled=False)


async def main():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("mail.crt", "mail.key")
    keeper = Keeper()

    def conversation():
        return SMTP(
            keeper,
            hostname="localhost",
            authenticator=authenticate,
            auth_required=True,
            auth_require_tls=MODE == "starttls",
            require_starttls=MODE == "starttls",
            tls_context=context if MODE == "starttls" else None,
        )

    server = await asyncio.get_running_loop().create_server(
        conversation, "127.0.0.1", 0, ssl=context if MODE == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
