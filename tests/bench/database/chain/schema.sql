CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL, circle INTEGER NOT NULL);
CREATE TABLE circles (id INTEGER PRIMARY KEY, title TEXT NOT NULL, balance INTEGER NOT NULL);
INSERT INTO members (id, name, circle) VALUES (7, 'Ada', 3);
INSERT INTO circles (id, title, balance) VALUES (3, 'Savings', 1250);
