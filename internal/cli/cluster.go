package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"regexp"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/internal/chat"
	"parley/internal/cluster"
	"parley/internal/cluster/natsbus"
	"parley/internal/format"
	"parley/internal/rates"
	"parley/internal/room"
	"parley/internal/search"
	"parley/internal/server"
	"parley/internal/store/postgres"
)

// clusterFlags are the flags of a node: one of several servers that share a database.
type clusterFlags struct {
	NodeName          string   `placeholder:"NAME" help:"With --cluster-listen or --bus: what to call this node in logs. Default: the host name."`
	ClusterListen     string   `placeholder:"ADDRESS" help:"Address and port where the other servers that share the database connect to this one, so that people on all of them talk to each other; such as 10.0.0.1:7422. Needs --database, and --cluster-secret-file or certificates."`
	ClusterPeers      []string `placeholder:"ADDRESS" help:"With --cluster-listen: addresses and ports of all other nodes, separated by commas. It may have this node's own, so that all nodes can have the same list."`
	ClusterSecretFile string   `placeholder:"FILE" help:"With --cluster-listen: file with a secret of at least 32 characters in its first line, which all nodes share. It authenticates them and encrypts what they send."`
	ClusterCert       string   `placeholder:"FILE" help:"In place of a secret: this node's certificate chain, PEM, for the name or address by which other nodes know it. With --bus: for a NATS server that wants one."`
	ClusterKey        string   `placeholder:"FILE" help:"With --cluster-cert: its private key, PEM."`
	ClusterCA         string   `name:"cluster-ca" placeholder:"FILE" help:"With --cluster-cert: certificate of the authority that signs those of all nodes, PEM. With --bus: of the one that signs the NATS server's."`
	Bus               string   `placeholder:"URL" help:"In place of --cluster-listen: a NATS server that carries what the nodes tell each other, such as nats://parley@bus.example.org:4222; several with commas between them. Leave the password to --bus-password-file or to the variable: other users see command lines."`
	BusPasswordFile   string   `placeholder:"FILE" help:"With --bus: file with the password of the user in the URL or, if there is none, with a token, in its first line."`
}

// nodeDrain is how long a node drains if --drain does not say.
const nodeDrain = 10 * time.Second

// isNode reports whether the flags make the server one of several.
func (f clusterFlags) isNode() bool { return f.ClusterListen != "" || f.Bus != "" }

var nodeName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// check reads the flags, and files that they name, but connects to nothing.
func (f clusterFlags) check(database string) error {
	if err := f.checkTogether(database); err != nil {
		return err
	}
	if f.NodeName != "" && !nodeName.MatchString(f.NodeName) {
		return fmt.Errorf("--node-name: write at most 64 letters, digits, dots, - and _, not %q", f.NodeName)
	}
	if f.Bus != "" {
		if _, err := natsbus.CheckURL(f.Bus); err != nil {
			return fmt.Errorf("--bus: %w", err)
		}
		if _, err := f.busPassword(); err != nil {
			return err
		}
	}
	if f.ClusterListen != "" {
		if err := checkListen("--cluster-listen", f.ClusterListen); err != nil {
			return err
		}
	}
	for _, peer := range f.ClusterPeers {
		host, port, err := net.SplitHostPort(peer)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil || !isListenHost(host) || port == "" || port == "0" {
			return fmt.Errorf("--cluster-peers: write addresses with ports, such as 10.0.0.2:7422, not %q", peer)
		}
	}
	_, err := f.trust()
	return err
}

// checkTogether checks which flags may be together.
func (f clusterFlags) checkTogether(database string) error {
	listens, secret := f.ClusterListen != "", f.ClusterSecretFile != ""
	certificate := f.ClusterCert != "" || f.ClusterKey != ""
	switch {
	case listens && f.Bus != "":
		return errors.New("--cluster-listen and --bus: nodes hear each other either directly or over a NATS server; " +
			"leave one of them out")
	case f.isNode() && database == "":
		return errors.New("--cluster-listen and --bus are for several servers that share a database: " +
			"add --database, or leave them out")
	case !f.isNode() && f.firstGiven() != "":
		return fmt.Errorf("%s is for one of several servers: add --cluster-listen or --bus, or leave it out",
			f.firstGiven())
	case f.Bus == "" && f.BusPasswordFile != "":
		return errors.New("--bus-password-file is for the NATS server of --bus: add --bus, or leave it out")
	case f.Bus != "" && (secret || len(f.ClusterPeers) > 0):
		return errors.New(
			"--cluster-peers and --cluster-secret-file are for --cluster-listen: with --bus, leave them out")
	case secret && (certificate || f.ClusterCA != ""):
		return errors.New("--cluster-secret-file and --cluster-cert: nodes know each other either by a secret or by " +
			"certificates; leave one of them out")
	case (f.ClusterCert != "") != (f.ClusterKey != ""):
		return errors.New("--cluster-cert and --cluster-key belong together: add the other one, too")
	case listens && certificate != (f.ClusterCA != ""):
		return errors.New("--cluster-cert, --cluster-key and --cluster-ca belong together: add the others, too")
	case listens && !secret && !certificate && !isLoopbackListen(f.ClusterListen):
		return fmt.Errorf("--cluster-listen %s lets in whoever can connect: add --cluster-secret-file or "+
			"certificates (--cluster-cert, --cluster-key, --cluster-ca), or listen on an address that only this "+
			"machine can reach, such as 127.0.0.1:7422", f.ClusterListen)
	}
	return nil
}

// firstGiven returns the first flag that is given and makes sense only on a node, or "".
func (f clusterFlags) firstGiven() string {
	for _, flag := range [][2]string{
		{"--node-name", f.NodeName},
		{"--cluster-secret-file", f.ClusterSecretFile},
		{"--cluster-cert", f.ClusterCert},
		{"--cluster-key", f.ClusterKey},
		{"--cluster-ca", f.ClusterCA},
		{"--bus-password-file", f.BusPasswordFile},
	} {
		if flag[1] != "" {
			return flag[0]
		}
	}
	if len(f.ClusterPeers) > 0 {
		return "--cluster-peers"
	}
	return ""
}

// busPassword returns the password for the NATS server of --bus, or "".
func (f clusterFlags) busPassword() (string, error) {
	if f.BusPasswordFile == "" {
		return "", nil
	}
	password, err := firstLine(f.BusPasswordFile)
	if err != nil {
		return "", fmt.Errorf("--bus-password-file: %w", err)
	}
	return password, nil
}

// trust returns the TLS settings between nodes, or with the NATS server. They are nil without any of the flags.
func (f clusterFlags) trust() (*tls.Config, error) {
	switch {
	case f.ClusterSecretFile != "":
		secret, err := firstLine(f.ClusterSecretFile)
		if err != nil {
			return nil, fmt.Errorf("--cluster-secret-file: %w", err)
		}
		cfg, err := natsbus.FromSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("--cluster-secret-file: %w", err)
		}
		return cfg, nil
	case f.ClusterCert != "" || f.ClusterCA != "":
		cfg, err := natsbus.FromFiles(f.ClusterCert, f.ClusterKey, f.ClusterCA)
		if err != nil {
			return nil, fmt.Errorf("certificates of the cluster: %w", err)
		}
		return cfg, nil
	}
	return nil, nil
}

// name returns the node's name.
func (f clusterFlags) name() string {
	host, _ := os.Hostname()
	return cmp.Or(f.NodeName, host)
}

// openBus connects to the other nodes that share the log with this epoch.
func (f clusterFlags) openBus(ctx context.Context, epoch string, logger *slog.Logger) (*natsbus.Bus, error) {
	trust, err := f.trust()
	if err != nil {
		return nil, err
	}
	// Nodes of another database may use the same NATS server, or be called by mistake.
	prefix := "parley." + epoch + "."
	if f.Bus != "" {
		password, err := f.busPassword()
		if err != nil {
			return nil, err
		}
		return natsbus.Dial(natsbus.DialConfig{
			URL: f.Bus, Password: password, TLS: trust, Prefix: prefix, Logger: logger,
		})
	}
	ln, err := listen(ctx, f.ClusterListen, "--cluster-listen") // NATS says less about what is wrong
	if err != nil {
		return nil, err
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		return nil, err
	}
	return natsbus.Listen(natsbus.ListenConfig{
		Address: address, Peers: f.ClusterPeers, TLS: trust, Prefix: prefix, Logger: logger,
	})
}

// A node is what a server that is one of several has in addition.
type node struct {
	*cluster.Node
	bus    *natsbus.Bus
	store  *postgres.Store
	counts *rates.Ledger
	parts  []func(context.Context) error // run beside the Node
}

// openNode makes this server a node, or returns nil if the flags do not ask for it.
func (f clusterFlags) openNode(
	ctx context.Context, log database, metrics *server.Metrics, logger *slog.Logger,
) (*node, error) {
	store, ok := log.(*postgresStore)
	if !f.isNode() || !ok {
		return nil, nil
	}
	bus, err := f.openBus(ctx, store.Epoch(), logger)
	if err != nil {
		return nil, err
	}
	n := &node{bus: bus, store: store.Store, counts: &rates.Ledger{}}
	n.Node = cluster.New(bus, cluster.Config{Name: f.name(), Others: n.others, Logger: logger})
	metrics.Cluster(func() int { return len(n.Peers()) }, n.IsCutOff, func() (sent, received, missed uint64) {
		c := n.Counts()
		return c.Sent, c.Received, c.Missed
	})
	started := []slog.Attr{slog.String("node", string(n.ID()))}
	if f.ClusterListen != "" {
		started = append(started, slog.String("addr", bus.Address()))
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "this server is one of several", started...)
	return n, nil
}

// others counts the other nodes that the store knows. It is called once a second, and tells them how many this one
// hears.
func (n *node) others(ctx context.Context) (int, error) {
	n.store.Hears(len(n.Peers()))
	nodes, err := n.otherNodes(ctx)
	return len(nodes), err
}

func (n *node) otherNodes(ctx context.Context) ([]postgres.Node, error) {
	nodes, err := n.store.Nodes(ctx)
	return slices.DeleteFunc(nodes, func(other postgres.Node) bool { return other.ID == n.store.NodeID() }), err
}

// errCutOff is what balancers are told by a node that others outdo.
var errCutOff = &chat.Error{
	Code: chat.Unavailable, RetryAfter: 2 * time.Second,
	Message: "This server does not hear all others that share its database. Another one does better.",
}

// ready returns errCutOff if this node is cut off, and another one hears more nodes than this one does. If all are cut
// off from each other alike, all stay ready: they read the store.
func (n *node) ready(ctx context.Context) error {
	if n == nil || !n.IsCutOff() {
		return nil
	}
	others, err := n.otherNodes(ctx)
	if err != nil {
		return err
	}
	hears := len(n.Peers())
	if slices.ContainsFunc(others, func(other postgres.Node) bool { return other.Hears > hears }) {
		return errCutOff
	}
	return nil
}

// followers lets the store know what people here have been shown that other nodes have stored. A server that is alone
// has none.
func (n *node) followers() []room.Follower {
	if n == nil {
		return nil
	}
	return []room.Follower{func(c chat.Commit) { n.store.Shown(&c.Event) }}
}

// ledger returns where limits put what the other nodes are told, or nil.
func (n *node) ledger() *rates.Ledger {
	if n == nil {
		return nil
	}
	return n.counts
}

// connectPeople lets the nodes know each other's people, and what limits have counted. It must be called before run. It
// does nothing for a server that is alone.
func (n *node) connectPeople(doors *server.Server) {
	if n == nil {
		return
	}
	cluster.ConnectPeople(n.Node, doors.Accounts())
	n.parts = append(n.parts, doors.Accounts().Run, cluster.ConnectLimits(n.Node, n.counts))
}

// connectRooms lets hub and index hear what happens in rooms on the other nodes, and tells them what happens here. It
// does nothing for a server that is alone.
func (n *node) connectRooms(hub *room.Hub, index *search.Index) {
	if n == nil {
		return
	}
	cluster.ConnectRooms(n.Node, hub, cluster.RoomsConfig{
		Heads:   n.store.HeadsOf,
		Stored:  index.StoredElsewhere,
		Deleted: func(texts []string) { format.Forget(texts...) },
		Missed: func() {
			index.StoredAnywhere()
			format.ForgetAll()
		},
	})
}

// run runs the node until ctx ends. A server that is alone has none.
func (n *node) run(ctx context.Context) error {
	if n == nil {
		<-ctx.Done()
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, part := range append(n.parts, n.Run) {
		g.Go(func() error { return part(ctx) })
	}
	return g.Wait()
}

func (n *node) close() error {
	if n == nil {
		return nil
	}
	return n.bus.Close()
}
