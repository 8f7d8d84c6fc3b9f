-- What the servers share to serve HTTPS: certificates, their private keys, the account at the
-- certificate authority, and the proofs that it asks for.

-- +goose Up
CREATE TABLE certificate (
    key      text COLLATE "C" PRIMARY KEY, -- a path, such as certificates/…/chat.example.org.key
    value    bytea NOT NULL,
    modified timestamptz NOT NULL          -- by the database's clock
);
