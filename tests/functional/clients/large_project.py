# SPDX-License-Identifier: Apache-2.0
"""A project of sixty resources, as people bring it: models with both habits of naming tables, actions listed out of order, SQL with
CTEs that write, jsonb operators and quoted aliases. One command starts it on an empty PostgreSQL."""

import unittest

import host as hosts

SUBJECTS = ("order", "invoice", "ticket", "parcel", "lesson", "recipe", "booking", "survey", "vehicle", "story")
SECRET = "$ENV.WALLET_TOKEN_KEY"


def table_of(number, subject):
    """Half of the models name their table, the others its singular (S-101)."""
    plural = subject[:-1] + "ies" if subject.endswith("y") and subject != "survey" else subject + "s"
    return f"_{subject}" if number % 2 == 0 else plural


def model(number):
    fields = {"id": {"type": "Number", "primary_key": True, "auto_increment": True},
              "title": {"type": "String", "max_length": 120}, "details": {"type": "JSON_OBJECT", "optional": True},
              "tags": {"type": "JSON_ARRAY", "optional": True}, "amount": {"type": "Float", "optional": True},
              "open": {"type": "Boolean", "optional": True}, "due": {"type": "DateTime", "optional": True}}
    if number > 0:
        fields["before"] = {"type": "Number", "optional": True, "foreign_key": {"of": SUBJECTS[number - 1], "key": "id"}}
    return fields


def action(number, query, *parameters, **more):
    return {"id": number, "mode": "QUERY", "sql_query": {"query": query, "parameters": list(parameters)}, **more}


def needs(number, *extractions):
    return [{"resource_id": "self", "action_ids": [number],
             "extract_response_for": [{"extract": extract, "for": name} for extract, name in extractions]}]


def resources_of(subject, table):
    """Six of each subject."""
    def resource(verb, *actions, **more):
        name = f"{verb}-{subject}"
        return {"id": name, "resource": f"{subject}s/{verb}", "actionables": list(actions), **more}

    title = [{"field": {"title": {"type": "STRING"}}, "min_length": 2, "max_length": 120}]
    return [
        resource("add", action(1, f"INSERT INTO {table} (title, details, tags, amount, open) VALUES ($1, $2, $3, $4, $5) "
                                  'RETURNING id, title, details, tags, amount, open, created_at AS "createdAt"', "title",
                               "$PAYLOAD.details", "$PAYLOAD.tags", "$PAYLOAD.amount", True, payload_validation=title)),
        # The action that comes first in the file needs the one behind it.
        resource("copy", action(2, f"INSERT INTO {table} (title, details) VALUES ($1, $2::jsonb) RETURNING title", "word", "$PAYLOAD.extra",
                                depends_on=needs(1, ("title", "word")), main_returnable=True),
                 action(1, f"SELECT title FROM {table} WHERE id = $1", "$PAYLOAD.number", no_op=True)),
        resource("close", action(1, f"WITH closed AS (UPDATE {table} SET open = false WHERE id = $1 AND open RETURNING id, title) "
                                    f"INSERT INTO {table} (title, details) SELECT 'closed ' || title, jsonb_build_object('of', id) "
                                    'FROM closed RETURNING title, details AS "whatFor"', "$PAYLOAD.number")),
        resource("find", action(1, f"SELECT id AS \"{subject}Id\", details->>'colour' AS \"theColour\" FROM {table} "
                                   "WHERE details ? $1 AND tags @> $2::jsonb ORDER BY id", "colour", ["new"])),
        resource("count", action(1, f"SELECT count(*) AS \"howMany\" FROM {table} AS users WHERE deleted_at IS NULL")),
        resource("drop", action(1, f"DELETE FROM {table} WHERE id = $1", "$PAYLOAD.number", soft_delete=True),
                 tokenize={"type": "JWT", "encryption_key": SECRET}, protected={}),
    ]


def project():
    files = {}
    for number, subject in enumerate(SUBJECTS):
        files[f"models/{'_' if number % 2 == 0 else ''}{subject}.json"] = model(number)
        files[f"resources/{subject}.json"] = resources_of(subject, table_of(number, subject))
    return files


class LargeProjectTest(unittest.TestCase):
    def setUp(self):
        self.database = self.enterContext(hosts.Postgres())
        self.folder = self.enterContext(hosts.Folder(project()))

    def test_starts_from_nothing(self):
        # S-100, S-101, S-102, S-103
        env = {"SUB0_MIGRATE": "auto"}
        with hosts.Host(self.folder.path, "--database", self.database.url, env=env) as host:
            self.assertEqual(host.wait_for("ready")["resources"], 60)
            minted = hosts.run_program("token", "mint", "drop-order", "--resources", self.folder.path, "--database", self.database.url,
                                       "--claim", "id=1")
            token = {"Authorization": "Bearer " + minted.stdout.strip()}
            for subject in SUBJECTS:
                self.use(host, subject, token)
        tables = self.database.cluster.execute("SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables "
                                               "WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sub0%'")
        self.assertEqual(sorted(tables.split()), sorted(table_of(*each) for each in enumerate(SUBJECTS)))
        with hosts.Host(self.folder.path, "--database", self.database.url, env=env) as host:  # a second time there is nothing to do
            self.assertEqual(host.call("orders/count")["data"], {"howMany": 2})

    def use(self, host, subject, token):
        def call(verb, payload=None, headers=None):
            reply = host.call(f"{subject}s/{verb}", payload or {}, headers)
            self.assertEqual(reply["status"], 200, (subject, verb, reply))
            return reply["data"]

        added = call("add", {"title": "first", "details": {"colour": "red"}, "tags": ["new", "x"], "amount": 1.5})
        self.assertEqual({**added, "createdAt": None}, {"id": 1, "title": "first", "details": {"colour": "red"}, "tags": ["new", "x"],
                                                        "amount": 1.5, "open": True, "createdAt": None})
        self.assertEqual(host.call(f"{subject}s/add", {"title": "x"})["error"]["code"], "validation_failed")
        self.assertEqual(call("copy", {"number": 1, "extra": {"a": [1]}}), {"title": "first"})
        self.assertIsNone(call("copy", {"number": 99}))
        self.assertEqual(call("close", {"number": 1}), {"title": "closed first", "whatFor": {"of": 1}})
        self.assertIsNone(call("close", {"number": 1}))
        self.assertEqual(call("find"), {f"{subject}Id": 1, "theColour": "red"})
        self.assertEqual(call("count"), {"howMany": 3})
        self.assertIsNone(call("drop", {"number": 1}, token))
        self.assertEqual(call("count"), {"howMany": 2})
        self.assertEqual(host.call(f"{subject}s/drop", {"number": 2})["status"], 401)


if __name__ == "__main__":
    hosts.main()
