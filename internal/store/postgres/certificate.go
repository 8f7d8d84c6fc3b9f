package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/jackc/pgx/v5"
)

// Certificates keeps certificates and their private keys in the database, so that all nodes serve the
// same ones and only one of them asks for a new one. It is a certmagic.Storage: a key is a path, and
// a folder is what the keys of others begin with. It writes while the store runs.
type Certificates struct {
	s *Store

	mu    sync.Mutex
	locks map[string]chan struct{} // by name; full while this process has the lock
}

// Certificates returns the certificates in the database.
func (s *Store) Certificates() *Certificates {
	return &Certificates{s: s, locks: map[string]chan struct{}{}}
}

// String names the storage in the log.
func (c *Certificates) String() string { return "the database" }

// Store stores a value under a key, in place of an earlier one.
func (c *Certificates) Store(ctx context.Context, key string, value []byte) error {
	return c.write(ctx, "storing", key, ownWrite{
		text: `
			INSERT INTO certificate (key, value, modified) VALUES ($1, $2, clock_timestamp())
			ON CONFLICT (key) DO UPDATE SET value = excluded.value, modified = excluded.modified`,
		args: []any{key, append([]byte{}, value...)}, // nil would be NULL
	})
}

// Load returns the value of a key. The error is fs.ErrNotExist if there is none.
func (c *Certificates) Load(ctx context.Context, key string) (value []byte, err error) {
	err = c.s.row(ctx, `SELECT value FROM certificate WHERE key = $1`, []any{key}, &value)
	if err != nil {
		return nil, certificateError("loading", key, err)
	}
	return value, nil
}

// Delete deletes a key, or all keys of a folder. What is not there is no error.
func (c *Certificates) Delete(ctx context.Context, key string) error {
	from, to := folder(key)
	return c.write(ctx, "deleting", key, ownWrite{
		text: `DELETE FROM certificate WHERE key = $1 OR key >= $2 AND key < $3`,
		args: []any{key, from, to},
	})
}

// Exists reports whether there is such a key or folder, as far as the database answers.
func (c *Certificates) Exists(ctx context.Context, key string) bool {
	_, err := c.Stat(ctx, key)
	return err == nil
}

// List returns the files and folders in a folder: those directly in it or, if recursive is set, all.
// The error is fs.ErrNotExist if there is no such folder.
func (c *Certificates) List(ctx context.Context, path string, recursive bool) ([]string, error) {
	from, to := folder(path)
	keys, err := rowsOf(ctx, c.s, pgx.RowTo[string], `
		SELECT key FROM certificate WHERE key >= $1 AND key < $2 ORDER BY key`, from, to)
	if err == nil && len(keys) == 0 {
		_, err = c.Stat(ctx, path)
	}
	if err != nil {
		return nil, certificateError("listing", path, err)
	}
	var found []string
	listed := map[string]struct{}{}
	for _, key := range keys {
		end := len(from)
		for end < len(key) {
			if next := strings.IndexByte(key[end:], '/'); next >= 0 {
				end += next
			} else {
				end = len(key)
			}
			if _, known := listed[key[:end]]; !known {
				listed[key[:end]] = struct{}{}
				found = append(found, key[:end])
			}
			if end++; !recursive {
				break
			}
		}
	}
	return found, nil
}

// Stat returns what is known of a key or folder. The error is fs.ErrNotExist if there is none.
func (c *Certificates) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	info := certmagic.KeyInfo{Key: key, IsTerminal: true}
	err := c.s.row(ctx, `SELECT length(value), modified FROM certificate WHERE key = $1`, []any{key},
		&info.Size, &info.Modified)
	if errors.Is(err, pgx.ErrNoRows) {
		from, to := folder(key)
		err = c.s.row(ctx, `
			SELECT false, modified FROM certificate WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 1`, []any{from, to},
			&info.IsTerminal, &info.Modified)
	}
	if err != nil {
		return certmagic.KeyInfo{}, certificateError("looking for", key, err)
	}
	return info, nil
}

// folder returns the first key that can be in a folder and the first one behind it.
func folder(path string) (from, to string) {
	if path == "" {
		return "", "\U0010ffff"
	}
	return path + "/", path + "0" // the character after the slash
}

func (c *Certificates) write(ctx context.Context, what, key string, o ownWrite) error {
	if strings.ContainsRune(key, 0) { // the database would refuse the whole transaction
		return fmt.Errorf("%s %q: a key has no NUL", what, key)
	}
	o.room = "certificate " + key
	if err := c.s.write(ctx, o); err != nil {
		return certificateError(what, key, err)
	}
	return nil
}

func certificateError(what, key string, err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		err = fs.ErrNotExist
	}
	return fmt.Errorf("%s %s among the certificates: %w", what, key, err)
}

// A node that has a lock loses it when it dies, or after lockLength unless it renews the lock: certmagic
// does so before each attempt.
const (
	lockLength = 5 * time.Minute
	lockEvery  = time.Second // how often Lock tries again
)

// Lock waits until this caller has the lock of a name, on all nodes, or ctx ends.
func (c *Certificates) Lock(ctx context.Context, name string) error {
	mine := c.local(name)
	select {
	case mine <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	again := time.NewTicker(lockEvery)
	defer again.Stop()
	for {
		locked, err := c.lease(ctx, name, lockLength)
		if locked {
			return nil
		}
		if err == nil {
			select {
			case <-again.C:
				continue
			case <-ctx.Done():
				err = ctx.Err()
			}
		}
		<-mine
		return fmt.Errorf("the lock %s: %w", name, err)
	}
}

// TryLock takes the lock of a name if nobody has it, and reports whether it did.
func (c *Certificates) TryLock(ctx context.Context, name string) (bool, error) {
	mine := c.local(name)
	select {
	case mine <- struct{}{}:
	default:
		return false, nil
	}
	locked, err := c.lease(ctx, name, lockLength)
	if !locked {
		<-mine
	}
	return locked, err
}

// RenewLockLease keeps a lock for some time from now on.
func (c *Certificates) RenewLockLease(ctx context.Context, name string, length time.Duration) error {
	kept, err := c.lease(ctx, name, length)
	if err == nil && !kept {
		err = errors.New("another server has it")
	}
	if err != nil {
		return fmt.Errorf("keeping the lock %s: %w", name, err)
	}
	return nil
}

// Unlock gives a lock back that Lock or TryLock has taken.
func (c *Certificates) Unlock(ctx context.Context, name string) error {
	defer func() {
		select {
		case <-c.local(name):
		default:
		}
	}()
	err := c.s.write(ctx, ownWrite{
		room: leaseRow(lockName(name)), text: dropLeaseText, args: []any{lockName(name), c.s.node},
	})
	if err != nil {
		return fmt.Errorf("giving back the lock %s: %w", name, err)
	}
	return nil
}

// local returns what keeps the goroutines of this process apart; a lease belongs to the node.
func (c *Certificates) local(name string) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locks[name] == nil {
		c.locks[name] = make(chan struct{}, 1)
	}
	return c.locks[name]
}

func (c *Certificates) lease(ctx context.Context, name string, length time.Duration) (bool, error) {
	mine := false
	err := c.s.write(ctx, ownWrite{
		room: leaseRow(lockName(name)),
		text: takeLeaseText,
		args: []any{lockName(name), c.s.node, length.Milliseconds()},
		scan: func(rows pgx.Rows) error { return rows.Scan(&mine) },
	})
	if err != nil { // if ctx has ended the write may still be under way, so mine must not be read
		return false, err
	}
	return mine, nil
}

func lockName(name string) string { return "certificate " + name }

// leaseRow is the row of a lease in the order in which rows are locked.
func leaseRow(name string) string { return "lease " + name }
