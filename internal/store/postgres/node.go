package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Node is a server that uses the database now.
type Node struct {
	ID    string // a random word of the process
	Name  string // by its operator; may be empty
	Alone bool   // it is in no cluster, so it does not hear what other servers write
	Hears int    // so many other nodes, some seconds ago at most
	Since time.Time
}

// Each node renews its row of the table node. If it does not do so it counts as dead after nodeLife.
const (
	renewEvery = 2 * time.Second
	nodeLife   = 6 * time.Second
)

// applicationName begins the name of a node's connection for its row. The node's id follows.
const applicationName = "parley-"

// nodeSettings are those of that connection. A row that is lost in a crash is written again soon, so no
// commit waits for a disk or a standby. The database ends a transaction that a frozen node has begun.
const nodeSettings = `
	SET synchronous_commit = off;
	SET statement_timeout = '2s';
	SET lock_timeout = '2s';
	SET idle_in_transaction_session_timeout = '1s'`

// isDeadSQL is whether the node of a row n is dead: its time is up, or its connection has ended, by which it renewed
// the row since the database was started.
var isDeadSQL = fmt.Sprintf(`
	n.until <= clock_timestamp() OR pg_postmaster_start_time() < n.until - interval '%d seconds'
		AND NOT EXISTS (SELECT FROM pg_stat_activity a
			WHERE a.datname = current_database() AND a.application_name = '%s' || n.id)`,
	int(nodeLife.Seconds()), applicationName)

// Nodes returns the servers that use the database now, this one included, the oldest first. One that was
// killed is among them for some seconds.
func (s *Store) Nodes(ctx context.Context) ([]Node, error) {
	nodes, err := rowsOf(ctx, s, pgx.RowToStructByPos[Node],
		`SELECT id, name, alone, hears, since FROM node WHERE until > clock_timestamp() ORDER BY since, id`)
	if err != nil {
		return nil, fmt.Errorf("servers that use the database: %w", err)
	}
	return nodes, nil
}

// Hears tells the other nodes of how many others this one hears.
func (s *Store) Hears(others int) { s.hears.Store(int64(others)) }

// NodeID returns the word that identifies this process among Nodes.
func (s *Store) NodeID() string { return s.node }

// An inTheWay is a live node beside which this one must not run, and until when it lives unless it renews
// its row.
type inTheWay struct {
	Node
	Until time.Time
}

// enterEvery is how often enter looks whether a node in the way is dead.
const enterEvery = 200 * time.Millisecond

// enter adds this node to the table. A node that is alone must be the only one. If another is in the way
// enter waits until that renews its row, and then refuses, or until it turns out to be dead.
func (s *Store) enter(ctx context.Context) error {
	if err := s.connectNode(ctx); err != nil {
		return err
	}
	found := map[string]time.Time{}
	for {
		others, err := s.tryEnter(ctx)
		if err != nil || len(others) == 0 {
			return err
		}
		for _, o := range others {
			if before, ok := found[o.ID]; ok && !before.Equal(o.Until) {
				return s.refuseBeside(o.Node)
			}
			found[o.ID] = o.Until
		}
		select {
		case <-time.After(enterEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// connectNode opens the connection for the node's row.
func (s *Store) connectNode(ctx context.Context) error {
	config := s.config.Copy()
	config.RuntimeParams["application_name"] = applicationName + s.node
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("connecting as a node: %w", err)
	}
	if err := apply(ctx, conn, nodeSettings); err != nil {
		closeConn(conn)
		return fmt.Errorf("connecting as a node: %w", err)
	}
	s.nodeConn = conn
	return nil
}

// tryEnter adds this node to the table unless it returns nodes that are in its way. Nodes enter one after
// the other, because they lock a row of meta.
func (s *Store) tryEnter(ctx context.Context) (others []inTheWay, err error) {
	err = pgx.BeginFunc(ctx, s.nodeConn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT FROM meta WHERE key = 'program' FOR UPDATE`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM node n WHERE n.id <> $1 AND (`+isDeadSQL+`)`, s.node)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT id, name, alone, hears, since, until FROM node WHERE id <> $1 AND (alone OR $2)`,
			s.node, s.cfg.Alone)
		if err != nil {
			return err
		}
		others, err = pgx.CollectRows(rows, pgx.RowToStructByPos[inTheWay])
		if err != nil || len(others) > 0 {
			return err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO node (id, name, alone, since, until)
			VALUES ($1, $2, $3, clock_timestamp(), clock_timestamp() + $4::bigint * interval '1 millisecond')`,
			s.node, s.cfg.Name, s.cfg.Alone, nodeLife.Milliseconds())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for other servers that use the database: %w", err)
	}
	return others, nil
}

// refuseBeside returns a sentence for the operator of this node, beside which o runs.
func (s *Store) refuseBeside(o Node) error {
	who := "another parley"
	if o.Name != "" {
		who += " (" + o.Name + ")"
	}
	who += " has used this database since " + o.Since.UTC().Format(time.DateTime) + " UTC"
	if !o.Alone {
		return fmt.Errorf("%s, in a cluster: give this one the flags of the cluster too, or stop the others", who)
	}
	return fmt.Errorf("%s, without the flags of a cluster, so people there would not see what is written here: "+
		"stop it, or give both the flags", who)
}

// errOusted means that another node has entered while this one did not renew its row.
var errOusted = errors.New("another server has taken the database while this one did not reach it")

// renew renews this node's row until ctx ends. It returns an error if another node has entered that must
// not run beside this one: this one counted as dead for some time.
func (s *Store) renew(ctx context.Context) error {
	turn := time.NewTicker(renewEvery)
	defer turn.Stop()
	for {
		select {
		case <-turn.C:
		case <-ctx.Done():
			return nil
		}
		if err := s.renewOnce(ctx); errors.Is(err, errOusted) {
			return err
		}
	}
}

func (s *Store) renewOnce(ctx context.Context) (err error) {
	s.nodeMu.Lock()
	defer s.nodeMu.Unlock()
	if s.hasLeft {
		return nil
	}
	if s.nodeConn == nil {
		connecting, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := s.connectNode(connecting); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	defer func() {
		if err != nil {
			s.logger.LogAttrs(ctx, slog.LevelWarn, "other servers may count this one as dead", slog.Any("err", err))
			closeConn(s.nodeConn)
			s.nodeConn = nil
		}
	}()
	var epoch string
	err = s.nodeConn.QueryRow(ctx, `
		UPDATE node SET until = clock_timestamp() + $2::bigint * interval '1 millisecond', hears = $3 WHERE id = $1
		RETURNING coalesce((SELECT value FROM meta WHERE key = 'epoch'), '')`,
		s.node, nodeLife.Milliseconds(), s.hears.Load()).Scan(&epoch)
	if err == nil && epoch != "" {
		s.epoch.Store(&epoch) // another node may have found that the database has lost something
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	others, err := s.tryEnter(ctx)
	if err == nil && len(others) > 0 {
		err = fmt.Errorf("%w: %w", errOusted, s.refuseBeside(others[0].Node))
	}
	return err
}

// leave removes this node from the table, if the database answers.
func (s *Store) leave() {
	s.nodeMu.Lock()
	defer s.nodeMu.Unlock()
	s.hasLeft = true
	if s.nodeConn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_, _ = s.nodeConn.Exec(ctx, `DELETE FROM node WHERE id = $1`, s.node) // else its time is up soon
	closeConn(s.nodeConn)
	s.nodeConn = nil
}
