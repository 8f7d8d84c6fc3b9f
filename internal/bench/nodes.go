package bench

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// startNodes starts several servers on one database, which know of each other.
func (s *testbed) startNodes(ctx context.Context) error {
	secret := filepath.Join(s.dir, "secret")
	if err := os.WriteFile(secret, []byte(rand.Text()+rand.Text()), 0o600); err != nil {
		return err
	}
	free, err := freeAddresses(2 * s.peer.nodes)
	if err != nil {
		return err
	}
	doors, buses := free[:s.peer.nodes], free[s.peer.nodes:]
	for i, address := range buses {
		peers := slices.Delete(slices.Clone(buses), i, i+1)
		command := append(s.serve(fmt.Sprint("data", i+1), doors[i]), fmt.Sprint("--node-name=node", i+1),
			"--drain="+cmp.Or(s.drain, 2*time.Second).String(), "--cluster-listen="+address,
			"--cluster-peers="+strings.Join(peers, ","), "--cluster-secret-file="+secret)
		env := s.env
		if i > 0 && s.clock != nil { // only the first node's commits are looked at
			env = s.database.env("")
		}
		p, err := startProcess(ctx, command, env, s.cfg.TLS)
		if err != nil {
			s.end()
			return fmt.Errorf("start node %d of %s: %w", i+1, s.peer.Name, err)
		}
		s.visitPage(ctx, p.address)
		if i == 0 {
			s.process, s.address = p, p.address
		} else {
			s.others = append(s.others, p)
		}
	}
	return nil
}

// node returns the address of the server for a connection: the connections take the nodes in turn.
func (s *testbed) node(index int) string {
	if i := index % (1 + len(s.others)); i > 0 {
		return s.others[i-1].address
	}
	return s.address
}

// freeAddresses returns addresses of this machine on which nobody listens.
func freeAddresses(n int) (addresses []string, err error) {
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer ln.Close() // when all are chosen, so that they differ
		addresses = append(addresses, ln.Addr().String())
	}
	return addresses, nil
}
