# SPDX-License-Identifier: Apache-2.0
"""RS256 and ES256 against the real binary: tokens of PyJWT and of the openssl program are taken, and what the host and its
commands issue is verified by them."""

import base64
import hashlib
import hmac
import json
import subprocess
import unittest

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

import host as hosts
from wire import Wire, call_text, frame

LATER = 9999999999
ROW = {"id": "user_12345", "n": 9007199254740993, "role": "admin"}


def pem_of(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def public_pem_of(key):
    return key.public_key().public_bytes(serialization.Encoding.PEM,
                                         serialization.PublicFormat.SubjectPublicKeyInfo).decode()


KEYS = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
ENVIRONMENT = {}
for algorithm, pair in KEYS.items():
    ENVIRONMENT[algorithm + "_PRIVATE"] = pem_of(pair)
    ENVIRONMENT[algorithm + "_PUBLIC"] = public_pem_of(pair).replace("\n", "\\n")  # as in files that hold single lines


def resource(name, algorithm, key, protected, **tokenize):
    made = {"id": name, "resource": name, "tokenize": {"algorithm": algorithm, "encryption_key": key, **tokenize},
            "actionables": [{"id": 1, "mode": "VALUE", "value": "$PROTECTED" if protected else ROW}]}
    if protected:
        made["protected"] = {"provide_as": "x-access-token", "extract_claims": ["id"]}
    return made


def project():
    resources = []
    for name in KEYS:
        resources += [resource(f"sign-in-{name}", name, f"$ENV.{name}_PRIVATE", False, custom_claim_fields=["id", "n"]),
                      resource(f"me-{name}", name, f"$ENV.{name}_PUBLIC", True)]
    return {"resources/all.json": resources}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def openssl(*words, data):
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=True).stdout


def signing_input(header, claims):
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"


class TokenAlgorithms(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = cls.enterClassContext(hosts.Sqlite())
        cls.folder = cls.enterClassContext(hosts.Folder(project()))
        cls.env = {"DATABASE_URL": cls.database.url, **ENVIRONMENT}
        secrets = [line for name in KEYS for line in ENVIRONMENT[name + "_PRIVATE"].splitlines() if "-----" not in line]
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env=cls.env, secrets=secrets))

    def answer(self, name, token):
        """What a call with that token gives: data, or the code of the error, over HTTP and over a socket."""
        reply = self.host.call(name, headers={"x-access-token": token})
        self.assertEqual(reply["status"], 200 if reply.get("success", True) and "error" not in reply else 401)
        wire = self.enterContext(Wire(self.host.port))
        self.assertEqual(wire.upgrade("", "x-access-token: " + token).status, 101)
        wire.send(frame(call_text(name)))
        other = wire.text()
        both = [one["error"]["code"] if "error" in one else one["data"] for one in (reply, other)]
        self.assertEqual(both[0], both[1])
        return both[0]

    def run_command(self, *words):
        return hosts.run_program(*words, "--resources", self.folder.path, env=self.env)

    def issued_token(self, name):
        reply = self.host.call("sign-in-" + name)
        self.assertEqual(reply["status"], 200)
        return reply["data"]["token"]

    # spec S-70, S-72
    def test_tokens_of_pyjwt_are_taken(self):
        for name, key in KEYS.items():
            with self.subTest(name):
                token = jwt.encode({"id": "u1", "exp": LATER}, key, name)
                self.assertEqual(self.answer("me-" + name, token), {"id": "u1", "exp": LATER})
                old = jwt.encode({"id": "u1", "exp": 1000}, key, name)
                self.assertEqual(self.answer("me-" + name, old), "token_expired")

    # spec S-71
    def test_issued_tokens_are_verified_by_pyjwt_and_by_the_public_half_here(self):
        for name, key in KEYS.items():
            minted = self.run_command("token", "mint", "sign-in-" + name, "--claim", "id=user_12345", "--claim",
                                      "n=9007199254740993")
            self.assertEqual(minted.returncode, 0, minted.stderr)
            for token in (self.issued_token(name), minted.stdout.strip()):
                with self.subTest(name):
                    self.assertEqual(jwt.get_unverified_header(token), {"alg": name, "typ": "JWT"})
                    claims = jwt.decode(token, key.public_key(), [name])
                    self.assertEqual((claims["id"], claims["n"]), (ROW["id"], ROW["n"]))
                    self.assertEqual(claims["exp"] - claims["iat"], 86400)
                    self.assertEqual(self.answer("me-" + name, token), claims)
                    checked = self.run_command("token", "check", "me-" + name, token)
                    self.assertEqual(json.loads(checked.stdout), claims, checked.stderr)

    # spec S-70: the openssl program, both ways
    def test_tokens_of_openssl(self):
        for name, key in KEYS.items():
            with self.subTest(name):
                files = hosts.Folder({"private.pem": pem_of(key), "public.pem": public_pem_of(key)})
                self.enterContext(files)
                text = signing_input({"alg": name}, {"id": "u1"})
                signature = openssl("dgst", "-sha256", "-sign", files.path / "private.pem", data=text.encode())
                if name == "ES256":
                    self.assertEqual(self.answer("me-ES256", f"{text}.{encode(signature)}"), "token_invalid")  # DER
                    signature = b"".join(number.to_bytes(32, "big") for number in decode_dss_signature(signature))
                self.assertEqual(self.answer("me-" + name, f"{text}.{encode(signature)}"), {"id": "u1"})
                text, _, signature = self.issued_token(name).rpartition(".")
                signature = decode(signature)
                if name == "ES256":
                    self.assertEqual(len(signature), 64)
                    signature = encode_dss_signature(*(int.from_bytes(half, "big") for half in (signature[:32], signature[32:])))
                written = files.path / "signature"
                written.write_bytes(signature)
                said = openssl("dgst", "-sha256", "-verify", files.path / "public.pem", "-signature", written, data=text.encode())
                self.assertEqual(said, b"Verified OK\n")

    #
    def test_a_token_that_confuses_algorithms_is_refused(self):
        claims = {"id": "evil", "exp": LATER}
        other_keys = {"RS256": rsa.generate_private_key(65537, 2048), "ES256": ec.generate_private_key(ec.SECP256R1())}
        for name, key in KEYS.items():
            bad = {"another pair": jwt.encode(claims, other_keys[name], name)}
            good = jwt.encode(claims, key, name)
            text, _, signature = good.rpartition(".")
            bad["no signature"] = text + "."
            bad["zeros"] = f"{text}.{encode(bytes(len(decode(signature))))}"
            for header in ("none", "HS256", "RS512", "PS256", "ES384"):
                for secret in (public_pem_of(key), public_pem_of(key).strip(), ENVIRONMENT[name + "_PUBLIC"], ""):
                    told = signing_input({"alg": header, "typ": "JWT"}, claims)
                    mac = hmac.digest(secret.encode(), told.encode(), hashlib.sha256)
                    bad[f"{header} by HMAC with {secret[:40]!r}"] = f"{told}.{encode(mac)}"
                bad[header + " above the signature"] = f"{signing_input({'alg': header}, claims)}.{signature}"
            for told, other in KEYS.items():
                if told != name:
                    bad["the other algorithm"] = jwt.encode(claims, other, told)
            if name == "RS256":
                bad["PS256"] = jwt.encode(claims, key, "PS256")
                bad["RS512"] = jwt.encode(claims, key, "RS512")
            for what, token in bad.items():
                with self.subTest(name, what=what):
                    self.assertEqual(self.answer("me-" + name, token), "token_invalid")
            self.assertEqual(self.answer("me-" + name, good), claims)

    # spec S-70, S-71: what `check` says; a host with such a key does not start
    def test_keys_that_do_not_fit_are_errors_with_their_place(self):
        small = rsa.generate_private_key(65537, 1024)
        other_curve = ec.generate_private_key(ec.SECP384R1())
        cases = [
            ("RS256", pem_of(KEYS["ES256"]), False, "needs a key of type RSA, and this is one of type EC"),
            ("ES256", public_pem_of(KEYS["RS256"]), True, "needs a key of type EC, and this is one of type RSA"),
            ("RS256", pem_of(small), False, "the RSA key has 1024 bits; RS256 wants 2048 to 8192"),
            ("RS256", public_pem_of(small), True, "the RSA key has 1024 bits; RS256 wants 2048 to 8192"),
            ("ES256", pem_of(other_curve), False, "this one is on secp384r1"),
            ("RS256", pem_of(KEYS["RS256"])[:500], False, "the PEM key cannot be read"),
            ("ES256", "0123456789abcdef0123456789abcdef", True, "must be a PEM key"),
            ("RS256", public_pem_of(KEYS["RS256"]), False, "issues tokens, which takes the private key"),
            ("HS256", public_pem_of(KEYS["RS256"]), True, "a PEM key cannot be the secret of an HS algorithm"),
        ]
        for name, key, protected, says in cases:
            with self.subTest(says):
                printed = hosts.assert_key_is_refused(self, resource("bad", name, "$ENV.KEY", protected),
                                                      {"DATABASE_URL": self.database.url, "KEY": key}, says)
                for line in key.splitlines()[1:-1]:
                    self.assertNotIn(line, printed)

    def test_a_public_key_mints_nothing(self):
        for name in KEYS:
            minted = self.run_command("token", "mint", "me-" + name, "--claim", "id=u1")
            self.assertEqual((minted.returncode, minted.stdout), (78, ""))
            self.assertIn("is a public key", minted.stderr)


if __name__ == "__main__":
    hosts.main()
