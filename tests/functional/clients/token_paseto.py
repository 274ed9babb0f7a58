# SPDX-License-Identifier: Apache-2.0
"""PASETO v4.local against the real binary: tokens of paseto-ts are taken, and it opens what the host and its commands issue."""

import base64
import datetime
import json
import os
import subprocess
import unittest

import host as hosts
from wire import Wire, call_text, frame

BYTES = bytes(range(0x70, 0x90))
PASERK = "k4.local." + base64.urlsafe_b64encode(BYTES).rstrip(b"=").decode()
FORMS = {"hex": BYTES.hex(), "base64": base64.b64encode(BYTES).decode(), "paserk": PASERK}
OTHER = "k4.local." + base64.urlsafe_b64encode(bytes(32)).rstrip(b"=").decode()
ROW = {"id": "user_12345", "n": 42, "role": "admin"}
LATER = "2099-01-01T00:00:00Z"


def resource(name, key, protected, **tokenize):
    made = {"id": name, "resource": name, "tokenize": {"type": "PASETO", "encryption_key": key, **tokenize},
            "actionables": [{"id": 1, "mode": "VALUE", "value": "$PROTECTED" if protected else ROW}]}
    if protected:
        made["protected"] = {"provide_as": "x-access-token", "extract_claims": ["id"]}
    return made


def project():
    resources = [resource("sign-in", "$ENV.KEY_hex", False, custom_claim_fields=["id", "n"])]
    resources += [resource("me-" + form, f"$ENV.KEY_{form}", True) for form in FORMS]
    resources.append({"id": "jwt", "resource": "jwt", "tokenize": {"encryption_key": "$ENV.KEY_hex"},
                      "protected": {"provide_as": "x-access-token"}, "actionables": [{"id": 1, "mode": "VALUE", "value": 1}]})
    return {"resources/all.json": resources}


def paseto_ts(*words):
    script = hosts.FOLDER / "node/paseto.js"
    return subprocess.run(["node", str(script), *words], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "NODE_PATH": os.environ["NODE_PATH"]}).stdout.strip()


def sealed(claims, footer="", key=PASERK):
    return paseto_ts("encrypt", key, json.dumps(claims), footer)


class TokenPaseto(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Sqlite())
        cls.folder = cls.enterClassContext(hosts.Folder(project()))
        cls.env = {"DATABASE_URL": cls.database.url, **{"KEY_" + form: key for form, key in FORMS.items()}}
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env=cls.env, secrets=list(FORMS.values())))

    def answer(self, name, token):
        """What a call with that token gives: data, or the code of the error, by HTTP, by a header of a socket and as subprotocol."""
        reply = self.host.call(name, headers={"x-access-token": token})
        self.assertIn(reply["status"], (200, 401))
        answers = [reply]
        for header in ("x-access-token: " + token, "Sec-WebSocket-Protocol: x-access-token, " + token):
            wire = self.enterContext(Wire(self.host.port))
            self.assertEqual(wire.upgrade("", header).status, 101)
            wire.send(frame(call_text(name)))
            answers.append(wire.text())
        said = [one["error"]["code"] if "error" in one else one["data"] for one in answers]
        self.assertEqual(said, said[:1] * 3)
        return said[0]

    def run_command(self, *words):
        return hosts.run_program(*words, "--resources", self.folder.path, env=self.env)

    # spec S-70, S-72
    def test_tokens_of_paseto_ts_are_taken(self):
        for footer in ("", '{"kid":"zVhMiPBP9fRf2snEcT7gFTioeA9COcNy9DfgL1W60haN"}', "no JSON"):
            token = sealed({"id": "u1", "exp": LATER}, footer)
            for form in FORMS:
                with self.subTest(footer=footer, form=form):
                    self.assertEqual(self.answer("me-" + form, token), {"id": "u1", "exp": LATER})

    # spec S-71
    def test_issued_tokens_are_opened_by_paseto_ts(self):
        issued = self.host.call("sign-in")["data"]["token"]
        minted = self.run_command("token", "mint", "sign-in", "--claim", "id=user_12345", "--claim", "n=42")
        self.assertEqual(minted.returncode, 0, minted.stderr)
        self.assertNotEqual(issued, self.host.call("sign-in")["data"]["token"])
        for token in (issued, minted.stdout.strip()):
            claims = json.loads(paseto_ts("decrypt", PASERK, token))
            self.assertEqual((claims["id"], claims["n"]), (ROW["id"], ROW["n"]))
            times = [datetime.datetime.fromisoformat(claims[name]) for name in ("iat", "exp")]
            self.assertEqual((times[1] - times[0]).total_seconds(), 86400)
            self.assertEqual(self.answer("me-hex", token), claims)
            checked = self.run_command("token", "check", "me-paserk", token)
            self.assertEqual(json.loads(checked.stdout), claims, checked.stderr)

    #
    def test_what_is_no_token_of_the_key_is_refused(self):
        claims = {"id": "evil", "exp": LATER}
        good = sealed(claims, "footer")
        body, _, footer = good[len("v4.local."):].partition(".")
        bad = {
            "another key": sealed(claims, key=OTHER),
            "altered": "v4.local." + body[:60] + ("A" if body[60] != "A" else "B") + body[61:] + "." + footer,
            "another footer": f"v4.local.{body}.Zm9vdGVy0",
            "no footer": "v4.local." + body,
            "a dot behind": good + ".",
            "exp as number": sealed({"id": "evil", "exp": 4102444800}),
            "nbf in the future": sealed({"id": "evil", "nbf": LATER}),
            "a text": "v4.local",
            **{version: f"{version}.{body}.{footer}" for version in ("v1.local", "v2.local", "v3.local", "v4.public", "V4.local")},
        }
        jwt = self.run_command("token", "mint", "jwt", "--claim", "id=evil").stdout.strip()
        self.assertEqual(self.answer("jwt", jwt), 1)
        self.assertEqual(self.answer("jwt", good), "token_invalid")
        for what, token in {**bad, "a JWT of the same key": jwt}.items():
            with self.subTest(what):
                self.assertEqual(self.answer("me-hex", token), "token_invalid")
        self.assertEqual(self.answer("me-hex", sealed({"id": "u1", "exp": "2001-01-01T00:00:00Z"})), "token_expired")
        self.assertEqual(self.answer("me-hex", good), claims)

    # spec S-70: what `check` says; a host with such a key does not start
    def test_keys_that_do_not_fit_are_errors_with_their_place(self):
        cases = [("0123456789abcdef", "v4.local needs a key of 32 bytes"),
                 (PASERK[:-1], "v4.local needs a key of 32 bytes"),
                 (PASERK.replace("k4.local", "k3.local"), "of another version or purpose of PASETO"),
                 (PASERK.replace("k4.local", "k4.public"), "of another version or purpose of PASETO"),
                 ("-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n", "not a PEM key")]
        for key, says in cases:
            with self.subTest(says):
                printed = hosts.assert_key_is_refused(self, resource("bad", "$ENV.KEY", True),
                                                      {"DATABASE_URL": self.database.url, "KEY": key}, says)
                self.assertNotIn(key, printed)


if __name__ == "__main__":
    hosts.main()
