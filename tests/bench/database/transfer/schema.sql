-- Runs on SQLite and on PostgreSQL.
CREATE TABLE accounts (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL);
CREATE TABLE transfers (source INTEGER NOT NULL, target INTEGER NOT NULL, amount BIGINT NOT NULL);
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
INSERT INTO accounts (id, balance) SELECT n, 1000000 FROM numbers;
