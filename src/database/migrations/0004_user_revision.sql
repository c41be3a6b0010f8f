-- Counts the changes of an account: who changes what they read names the count that they read.
ALTER TABLE users ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
