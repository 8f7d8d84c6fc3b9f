package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"parley/internal/chat"
	"parley/internal/store"
)

// NewGuest makes a person with a name in normal form, and a session: a secret token, of which the
// store keeps only a hash. If key is not empty it is the token. If a session with that token
// exists, NewGuest returns its person unchanged.
func (s *Store) NewGuest(ctx context.Context, name, key string) (chat.Person, string, error) {
	p, token := store.NewGuest(name, key)
	err := s.write(ctx, func(ctx context.Context, w *writer) error {
		if key != "" { // the first try may have been stored since
			err := w.scan(ctx, []any{&p.ID, &p.Name}, `
				SELECT p.public, p.name FROM session s JOIN person p ON p.id = s.person WHERE s.token_hash = $1`,
				store.TokenHash(key))
			if !errors.Is(err, sql.ErrNoRows) {
				return err
			}
		}
		now := time.Now().UnixMilli()
		id, err := w.insertPerson(ctx, p, now)
		if err != nil {
			return err
		}
		return w.exec(ctx, `INSERT INTO session (token_hash, person, created_ms, seen_ms) VALUES ($1, $2, $3, $3)`,
			store.TokenHash(token), id, now)
	})
	if err != nil {
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
	err := s.reads.row(ctx, sessionText, []any{hash}, &p.ID, &p.Name, &seen)
	if errors.Is(err, sql.ErrNoRows) {
		return chat.Person{}, store.ErrUnknownSession
	}
	if err != nil {
		return chat.Person{}, fmt.Errorf("whose session it is: %w", err)
	}
	if now := time.Now(); now.Sub(time.UnixMilli(seen)) > store.SeenEvery {
		s.start(func(ctx context.Context, w *writer) error {
			return w.exec(ctx, `UPDATE session SET seen_ms = $2 WHERE token_hash = $1`, hash, now.UnixMilli())
		})
	}
	return p, nil
}

// PersonStates returns those of the people who exist, as they are now, in no particular order.
func (s *Store) PersonStates(ctx context.Context, ids []chat.PersonID) (found []chat.PersonState, err error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	at := map[chat.PersonID]int{}
	err = s.reads.each(ctx, `
		SELECT p.public, p.name, s.token_hash FROM json_each($1) w CROSS JOIN person p ON p.public = w.value
		LEFT JOIN session s ON s.person = p.id`, []any{string(list)}, func(rows *sql.Rows) error {
		var p chat.Person
		var hash []byte
		if err := rows.Scan(&p.ID, &p.Name, &hash); err != nil {
			return err
		}
		i, known := at[p.ID]
		if !known {
			i = len(found)
			at[p.ID], found = i, append(found, chat.PersonState{Person: p})
		}
		if len(hash) == len(chat.SessionHash{}) {
			found[i].Sessions = append(found[i].Sessions, chat.SessionHash(hash))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("people and their sessions: %w", err)
	}
	return found, nil
}

// Rename gives a person another name, in normal form, and returns their name. A retry with the same
// nonce changes nothing. Earlier messages keep the name of their time.
func (s *Store) Rename(ctx context.Context, id chat.PersonID, name, nonce string) (now string, err error) {
	var found string
	if err = chat.CheckNonce(nonce); err == nil {
		err = s.writeOrRefuse(ctx, func(ctx context.Context, w *writer) (refused, err error) {
			var person int64
			err = w.scan(ctx, []any{&person, &found}, `SELECT id, name FROM person WHERE public = $1`, string(id))
			if errors.Is(err, sql.ErrNoRows) {
				return store.ErrNobody, nil
			}
			if err != nil {
				return nil, err
			}
			return w.idempotent(ctx, id, answer{listKey: listKey{person: person}, nonce: nonce, kind: "rename"},
				func() (refused, err error) {
					found = name
					const text = `UPDATE person SET name = $2, folded = $3 WHERE id = $1`
					return nil, w.exec(ctx, text, person, name, chat.FoldName(name))
				})
		})
	}
	if err != nil {
		return "", fmt.Errorf("renaming a person: %w", err)
	}
	return found, nil
}

// Forget ends a session. An unknown session is no error.
func (s *Store) Forget(ctx context.Context, session string) error {
	err := s.write(ctx, func(ctx context.Context, w *writer) error {
		return w.exec(ctx, `DELETE FROM session WHERE token_hash = $1`, store.TokenHash(session))
	})
	if err != nil {
		return fmt.Errorf("forgetting a session: %w", err)
	}
	return nil
}

// write queues run and waits for its commit. If ctx ends first, run may still be committed.
func (s *Store) write(ctx context.Context, run func(context.Context, *writer) error) error {
	return store.Await(ctx, s.start(run))
}

// writeOrRefuse is write for a function that may refuse. A refusal has written nothing and does not
// fail the transaction that run shares with others.
func (s *Store) writeOrRefuse(ctx context.Context, run func(context.Context, *writer) (refused, err error)) error {
	var refused error
	err := s.write(ctx, func(ctx context.Context, w *writer) (err error) {
		refused, err = run(ctx, w)
		return err
	})
	if err != nil { // if ctx has ended run may still be running, so refused must not be read
		return err
	}
	return refused
}

// start queues run and returns at once. The channel gets the one result; an error in it is the
// cause, which a user must not see.
func (s *Store) start(run func(context.Context, *writer) error) <-chan error {
	return s.committer.Start(func(ctx context.Context) error { return run(ctx, s.writer) })
}

// do queues run and returns at once. done gets the result; an error in it is the cause, which a user must not see.
func (s *Store) do(run func(context.Context, *writer) error, done func(error)) {
	s.committer.Do(func(ctx context.Context) error { return run(ctx, s.writer) }, done)
}
