-- The demo's tables and its users. Runs on SQLite and on PostgreSQL, and may be run again.
CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, wallet_balance NUMERIC NOT NULL);
INSERT INTO users (id, wallet_balance) VALUES ('user_12345', 1250.75) ON CONFLICT (id) DO NOTHING;
INSERT INTO users (id, wallet_balance) VALUES ('user_67890', 300) ON CONFLICT (id) DO NOTHING;
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, password TEXT NOT NULL);
