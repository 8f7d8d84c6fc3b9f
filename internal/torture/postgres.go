package torture

import (
	"context"
	"math/rand/v2"
	"sync"

	"parley/internal/pgserver"
)

// A PostgresProcess is the real program with its log in a PostgreSQL server of its own, which is tortured too. The
// program reaches it through a proxy.
type PostgresProcess struct {
	server   *Process
	database *pgserver.Server
	proxy    *proxy

	stopProxy context.CancelFunc
	proxying  sync.WaitGroup
}

// OnPostgres lets a program keep its log in a new database of a PostgreSQL server. Close ends the proxy between the
// two; it does not end the server.
func OnPostgres(ctx context.Context, program *Process, database *pgserver.Server) (*PostgresProcess, error) {
	name, err := database.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	between, err := newProxy(nil)
	if err != nil {
		return nil, err
	}
	between.forwardTo(database.Address())
	p := &PostgresProcess{server: program, database: database, proxy: between}
	through := between.address()
	// Not a flag: all users of a machine see command lines.
	program.Env = append(program.Env, "PARLEY_DATABASE="+database.URLBy(name, through))
	ctx, p.stopProxy = context.WithCancel(context.WithoutCancel(ctx))
	p.proxying.Go(func() { between.run(ctx) })
	return p, nil
}

// Close ends the proxy, and so all connections between the program and its database.
func (p *PostgresProcess) Close() {
	p.stopProxy()
	p.proxying.Wait()
}

// Start runs the program.
func (p *PostgresProcess) Start(ctx context.Context) (string, error) { return p.server.Start(ctx) }

// Kill sends SIGKILL to the program.
func (p *PostgresProcess) Kill() error { return p.server.Kill() }

// Stop sends SIGTERM to the program.
func (p *PostgresProcess) Stop() error { return p.server.Stop() }

// PID returns the program's process id, 0 if it is not running.
func (p *PostgresProcess) PID() int { return p.server.PID() }

// Faults returns the faults of the database, and of the connections to it.
func (p *PostgresProcess) Faults() []SubjectFault {
	var frozen []*proxyConn
	return []SubjectFault{
		{
			Name:  "dbkill",
			Begin: func(*rand.Rand) error { return p.database.Kill() },
			End:   func(*rand.Rand) error { return p.database.Restart(context.Background()) },
		},
		{
			Name:  "dbfreeze",
			Begin: func(*rand.Rand) error { return p.database.Freeze() },
			End:   func(*rand.Rand) error { return p.database.Thaw() },
		},
		{
			Name: "dbcut",
			Begin: func(rnd *rand.Rand) error {
				for _, l := range p.proxy.some(rnd, 0.7) {
					l.end()
				}
				return nil
			},
		},
		{
			Name: "dblost",
			Begin: func(rnd *rand.Rand) error {
				for _, l := range p.proxy.some(rnd, 0.7) {
					n := 1 + rnd.IntN(300)
					l.degrade(func(l *proxyConn) { l.cutIn = n })
				}
				return nil
			},
		},
		{
			Name: "dbhalfopen",
			Begin: func(rnd *rand.Rand) error {
				frozen = p.proxy.some(rnd, 0.7)
				for _, l := range frozen {
					l.freeze()
				}
				return nil
			},
			End: func(*rand.Rand) error {
				for _, l := range frozen {
					l.end()
				}
				return nil
			},
		},
	}
}
