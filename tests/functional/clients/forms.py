# SPDX-License-Identifier: Apache-2.0
"""Forms (S-50, S-37, S-81): text fields of multipart/form-data as curl sends them are texts of the payload, and are validated."""

import json
import subprocess
import unittest

import host as hosts

VALIDATION = [{"field": {"name": {"type": "STRING"}}, "min_length": 2}, {"field": {"age": {"type": "NUMBER"}}},
              {"field": {"member": {"type": "BOOLEAN", "optional": True}}}, {"field": {"mail": {"type": "EMAIL", "optional": True}}}]
PROJECT = {"resources/all.json": [
    {"id": "echo", "resource": "echo", "actionables": [{"id": 1, "mode": "VALUE", "value": "$PAYLOAD"}]},
    {"id": "declared", "resource": "declared", "actionables": [
        {"id": 1, "mode": "VALUE", "value": {"name": "$PAYLOAD.name", "age": "$PAYLOAD.age"}, "payload_validation": VALIDATION}]},
    {"id": "store", "resource": "store", "actionables": [
        {"id": 1, "mode": "QUERY", "sql_query": {"query": "SELECT $1 AS word", "parameters": ["$PAYLOAD.word"]}}]},
]}


class FormsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(hosts.Folder(PROJECT))
        cls.host = cls.enterClassContext(hosts.Host(cls.folder.path, env={"MAX_PAYLOAD_LIMIT": "100000"}))

    def curl(self, path, *words):
        done = subprocess.run(["curl", "-sS", "--max-time", str(hosts.PATIENCE_S), "-w", "\n%{http_code}", *words,
                               f"{self.host.url}/{path}"], capture_output=True, text=True, check=True)
        text, _, status = done.stdout.rpartition("\n")
        return int(status), json.loads(text)

    def form(self, path, *fields):
        return self.curl(path, *(word for field in fields for word in ("--form-string", field)))

    def test_fields_are_texts(self):
        # S-50: a value is data, whatever it looks like
        status, reply = self.form("echo", "a=1", "b=", "c=x\r\ny", 'quoted"name=ü', "env=$ENV.HOME", "a=last")
        self.assertEqual((status, reply["data"]),
                         (200, {"a": "last", "b": "", "c": "x\r\ny", 'quoted"name': "ü", "env": "$ENV.HOME"}))

    def test_query_parameters_fill_in(self):
        status, reply = self.form("declared?age=7&name=no", "name=ada")
        self.assertEqual((status, reply["data"]), (200, {"name": "ada", "age": "7"}))

    def test_validation(self):
        # S-81: a text that is a number counts as one; all failures at once
        self.assertEqual(self.form("declared", "name=ada", "age=37", "member=true")[0], 200)
        status, reply = self.form("declared", "name=a", "age=old", "member=perhaps", "mail=x")
        self.assertEqual((status, reply["error"]["code"], len(reply["error"]["details"])), (400, "validation_failed", 4), reply)
        self.assertEqual(self.form("declared", "name=ada")[1]["error"]["code"], "validation_failed")

    def test_the_database_gets_text(self):
        #
        self.assertEqual(self.form("store", "word='; DROP TABLE x --")[1]["data"], {"word": "'; DROP TABLE x --"})

    def test_files_are_refused(self):
        status, reply = self.curl("echo", "-F", f"f=@{__file__}")
        self.assertEqual((status, reply["error"]["code"], reply["message"]), (400, "bad_request", "this resource takes no files"))

    def test_other_bodies(self):
        status, reply = self.curl("echo", "-d", "a=1")
        self.assertEqual((status, reply["error"]["code"]), (415, "unsupported_media_type"))
        status, reply = self.curl("echo", "-H", "Content-Type: multipart/form-data", "-d", "a=1")
        self.assertEqual((status, reply["error"]["code"]), (400, "bad_request"))
        many = "".join(f'--B\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n\r\n' for n in range(1200)) + "--B--"
        status, reply = self.curl("echo", "-H", "Content-Type: multipart/form-data; boundary=B", "--data-binary", many)
        self.assertEqual((status, reply["error"]["code"]), (400, "limit_exceeded"))
        status, reply = self.form("echo", "a=" + "x" * 100_001)
        self.assertEqual((status, reply["error"]["code"]), (413, "payload_too_large"))


if __name__ == "__main__":
    hosts.main()
