package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"parley/internal/netns"
)

// standbyName is what a standby is called in its primary's list of synchronous standbys.
const standbyName = "standby"

// NewStandby starts a synchronous standby with a copy of the server's data: from now on, a transaction of the server is
// committed when the standby has it too. Both have the same users, passwords and settings.
func (s *Server) NewStandby(ctx context.Context) (*Server, error) { return s.NewStandbyOn(ctx, nil) }

// NewStandbyOn is NewStandby on a machine of the network of the server's machine.
func (s *Server) NewStandbyOn(ctx context.Context, m *netns.Machine) (_ *Server, err error) {
	standby, err := newServer(m, filepath.Dir(s.dir), s.password, s.settings)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, standby.Stop())
		}
	}()
	if standby.as, err = unprivileged(standby.dir); err != nil {
		return nil, err
	}
	return standby, standby.Follow(ctx, s)
}

// Follow makes the server the synchronous standby of another one: it ends, if it still runs, takes a copy of the
// other's data in place of its own, and starts. It returns when a commit on the primary waits for it.
func (s *Server) Follow(ctx context.Context, primary *Server) error {
	if err := s.end(); err != nil {
		return err
	}
	if err := os.RemoveAll(s.Data()); err != nil {
		return err
	}
	from := fmt.Sprintf("host=%s port=%d user=parley password=%s application_name=%s sslmode=disable",
		primary.machine.Address(), primary.port, primary.password, standbyName)
	err := s.run(ctx, "pg_basebackup", "-D", s.Data(), "-d", from, "--checkpoint=fast", "--write-recovery-conf",
		"--no-sync", "--wal-method=stream")
	if err != nil {
		return err
	}
	// The copy has the primary's list of standbys. This server has none to wait for when it takes over.
	err = appendTo(filepath.Join(s.Data(), "postgresql.auto.conf"), "synchronous_standby_names = ''\n")
	if err != nil {
		return err
	}
	if err := s.Restart(ctx); err != nil {
		return err
	}
	return primary.waitFor(ctx, standbyName)
}

// Promote makes a standby a primary without a standby, and returns when it accepts writes. The old primary must have
// ended: two that write are two logs.
func (s *Server) Promote(ctx context.Context) error {
	var promoted bool
	if err := s.ask(ctx, &promoted, `SELECT pg_promote(true, 60)`); err != nil {
		return fmt.Errorf("promote the standby: %w", err)
	}
	if !promoted {
		return errors.New("promote the standby: it is none after a minute")
	}
	return nil
}

// Alone ends the wait for a standby that is lost: from now on the server commits by itself.
func (s *Server) Alone(ctx context.Context) error { return s.setStandby(ctx, "") }

// waitFor makes commits wait for a standby. It returns when they do, and the standby has everything before.
func (s *Server) waitFor(ctx context.Context, standby string) error {
	if err := s.setStandby(ctx, standby); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		var streams bool
		err := s.ask(ctx, &streams, `
			SELECT count(*) > 0 FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'sync'`)
		if err != nil {
			return fmt.Errorf("wait for the standby: %w", err)
		}
		if streams {
			break
		}
		if pause(ctx); ctx.Err() != nil {
			return fmt.Errorf("the standby does not follow: %w", ctx.Err())
		}
	}
	// The process that tells the others to wait reads its settings before it makes a checkpoint.
	if err := s.ask(ctx, nil, `CHECKPOINT`); err != nil {
		return err
	}
	// Its commit waits for the standby, which then has all earlier ones.
	return s.ask(ctx, nil, `SELECT pg_logical_emit_message(true, '', '')`)
}

// setStandby changes the list of synchronous standbys and waits until processes have it.
func (s *Server) setStandby(ctx context.Context, name string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, text := range []string{
		`ALTER SYSTEM SET synchronous_standby_names = '` + name + `'`, `SELECT pg_reload_conf()`,
	} {
		if _, err := conn.Exec(ctx, text); err != nil {
			return fmt.Errorf("set the synchronous standby: %w", err)
		}
	}
	for is := "?"; is != name; pause(ctx) {
		if err := conn.QueryRow(ctx, `SELECT current_setting('synchronous_standby_names')`).Scan(&is); err != nil {
			return fmt.Errorf("set the synchronous standby: %w", err)
		}
	}
	return nil
}

// ask makes one statement on a connection of its own, with its answer in into unless that is nil.
func (s *Server) ask(ctx context.Context, into any, text string) error {
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if into == nil {
		_, err = conn.Exec(ctx, text)
		return err
	}
	return conn.QueryRow(ctx, text).Scan(into)
}

func appendTo(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
