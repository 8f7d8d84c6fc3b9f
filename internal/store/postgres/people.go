package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"parley/internal/chat"
	"parley/internal/store"
)

// NewGuest makes a person with a name in normal form, and a session: a secret token, of which the
// store keeps only a hash. If key is not empty it is the token. If a session with that token
// exists, NewGuest returns its person unchanged.
func (s *Store) NewGuest(ctx context.Context, name, key string) (chat.Person, string, error) {
	made, token := store.NewGuest(name, key)
	hash := store.TokenHash(token)
	p := made
	err := s.write(ctx, ownWrite{
		room: sessionRow(hash), // no person's row is locked: the person is new
		text: `
			WITH known AS (
				SELECT public, name FROM person
				WHERE id = (SELECT person FROM session WHERE token_hash = $1)),
			made AS (
				INSERT INTO person (public, name, folded, created_ms) SELECT $2::text, $3::text, $4::text, $5::bigint
				WHERE NOT EXISTS (SELECT FROM known) RETURNING id),
			begun AS (
				INSERT INTO session (token_hash, person, created_ms, seen_ms)
				SELECT $1, id, $5::bigint, $5::bigint FROM made)
			SELECT public, name FROM known UNION ALL SELECT $2::text, $3::text FROM made`,
		args: []any{hash, string(made.ID), made.Name, chat.FoldName(made.Name), time.Now().UnixMilli()},
		scan: func(rows pgx.Rows) error { return rows.Scan(&p.ID, &p.Name) },
	})
	if err != nil { // if ctx has ended the write may still be under way, so p must not be read
		return chat.Person{}, "", fmt.Errorf("making a guest: %w", err)
	}
	return p, token, nil
}

// Person returns whose session it is. The error is a *chat.Error with code BadSession if the
// session is unknown.
func (s *Store) Person(ctx context.Context, session string) (chat.Person, error) {
	var p chat.Person
	var seen int64
	hash := store.TokenHash(session)
	err := s.row(ctx, `
		WITH s AS MATERIALIZED (SELECT person, seen_ms FROM session WHERE token_hash = $1)
		SELECT public, name, (SELECT seen_ms FROM s) FROM person WHERE id = (SELECT person FROM s)`,
		[]any{hash}, &p.ID, &p.Name, &seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return chat.Person{}, store.ErrUnknownSession
	}
	if err != nil {
		return chat.Person{}, fmt.Errorf("whose session it is: %w", err)
	}
	if now := time.Now(); now.Sub(time.UnixMilli(seen)) > store.SeenEvery {
		s.start(ownWrite{
			room: sessionRow(hash),
			text: `UPDATE session SET seen_ms = $2 WHERE token_hash = $1`,
			args: []any{hash, now.UnixMilli()},
		})
	}
	return p, nil
}

// PersonStates returns those of the people who exist, as they are now, in no particular order.
func (s *Store) PersonStates(ctx context.Context, ids []chat.PersonID) ([]chat.PersonState, error) {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = string(id)
	}
	found, err := rowsOf(ctx, s, personState, `
		SELECT p.public, p.name, ARRAY(SELECT s.token_hash FROM session s WHERE s.person = p.id)
		FROM unnest($1::text[]) u(public) JOIN person p ON p.public = u.public`, list)
	if err != nil {
		return nil, fmt.Errorf("people and their sessions: %w", err)
	}
	return found, nil
}

func personState(row pgx.CollectableRow) (p chat.PersonState, err error) {
	var hashes [][]byte
	err = row.Scan(&p.ID, &p.Name, &hashes)
	for _, hash := range hashes {
		if len(hash) == len(chat.SessionHash{}) {
			p.Sessions = append(p.Sessions, chat.SessionHash(hash))
		}
	}
	return p, err
}

var renameText = `
	WITH m AS (SELECT id AS person, 0::bigint AS room, name FROM person WHERE public = $5),` + knownSQL + `),
	renamed AS (
		UPDATE person SET name = $6::text, folded = $7::text WHERE id = (SELECT person FROM m) AND` + isNewSQL + `)
	SELECT CASE WHEN` + isNewSQL + `THEN $6::text ELSE m.name END,` + usedSQL + `FROM m`

// Rename gives a person another name, in normal form, and returns their name. A retry with the same
// nonce changes nothing. Earlier messages keep the name of their time.
func (s *Store) Rename(ctx context.Context, id chat.PersonID, name, nonce string) (string, error) {
	var now string
	var refused error
	err := chat.CheckNonce(nonce)
	if err == nil {
		refused = store.ErrNobody
		err = s.write(ctx, ownWrite{
			who:  string(id),
			text: renameText,
			args: []any{packNonce(nonce), "rename", 0, time.Now().UnixMilli(), string(id), name, chat.FoldName(name)},
			scan: func(rows pgx.Rows) error {
				var known, same bool
				err := rows.Scan(&now, &known, &same)
				refused = refusal(known, same)
				return err
			},
		})
		if err == nil { // if ctx has ended the write may still be under way, so refused must not be read
			err = refused
		}
	}
	if err != nil {
		return "", fmt.Errorf("renaming a person: %w", err)
	}
	return now, nil
}

// Forget ends a session. An unknown session is no error.
func (s *Store) Forget(ctx context.Context, session string) error {
	hash := store.TokenHash(session)
	err := s.write(ctx, ownWrite{
		room: sessionRow(hash),
		text: `DELETE FROM session WHERE token_hash = $1`,
		args: []any{hash},
	})
	if err != nil {
		return fmt.Errorf("forgetting a session: %w", err)
	}
	return nil
}

// sessionRow is the row of a session in the order in which rows are locked.
func sessionRow(hash []byte) string { return "session " + hex.EncodeToString(hash) }
