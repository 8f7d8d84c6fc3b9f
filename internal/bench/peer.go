package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Peer is a kind of server that can be measured.
type Peer struct {
	Name       string
	command    []string // starts it; it prints "listening on URL" first
	address    string   // host:port of a running server
	protocol   protocol
	hasHistory bool // it has a history
	onPostgres bool // it is Parley with its log in PostgreSQL
	nodes      int  // it is so many servers on one database, if more than one
	secure     bool // it speaks TLS, if a certificate's and a key's file follow the command
}

// parleyName is Parley's name in tables. The others are compared with it.
const parleyName = "parley"

// peers are the servers in the folder bench/, the floor first. Their commands are relative to that
// folder.
var peers = []Peer{
	{Name: "floor", command: []string{"bin/floor"}, protocol: plainProtocol{}, secure: true},
	{Name: "gorilla", command: []string{"bin/gorilla"}, protocol: plainProtocol{}},
	{Name: "gws", command: []string{"bin/gws"}, protocol: plainProtocol{}},
	{Name: "centrifuge", command: []string{"bin/centrifuge"}, protocol: centrifugeProtocol{}},
	{Name: "node-ws", command: []string{"node", "node-ws/server.js"}, protocol: plainProtocol{}, secure: true},
	{
		Name: "bun", command: []string{"bun/node_modules/@oven/bun-linux-x64/bin/bun", "bun/server.js"},
		protocol: plainProtocol{}, secure: true,
	},
}

// CheckPeers returns an error if one of names is not a peer.
func CheckPeers(names []string) error {
	known := make([]string, len(peers))
	for i, p := range peers {
		known[i] = p.Name
	}
	for _, name := range names {
		if name != "all" && !slices.Contains(known, name) {
			return fmt.Errorf("no peer is called %q: there are all, %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// choosePeers returns the named peers that can be started; missing says which cannot, and why. With
// TLS it chooses only those that support it.
func choosePeers(dir string, names []string, secure bool) (chosen []Peer, missing []string, err error) {
	if err := CheckPeers(names); err != nil {
		return nil, nil, err
	}
	for _, p := range peers {
		if !slices.Contains(names, p.Name) && !slices.Contains(names, "all") {
			continue
		}
		if secure && !p.secure {
			missing = append(missing, p.Name+" is left out: it is not set up for TLS")
			continue
		}
		if p.command, err = p.located(dir); err != nil {
			missing = append(missing, fmt.Sprintf("%s is left out: %v (bench/install builds the peers)", p.Name, err))
			continue
		}
		chosen = append(chosen, p)
	}
	return chosen, missing, nil
}

// located returns p's command with absolute paths in dir.
func (p Peer) located(dir string) ([]string, error) {
	command := slices.Clone(p.command)
	for i, word := range command {
		if strings.Contains(word, "/") {
			path, err := filepath.Abs(filepath.Join(dir, word))
			if err != nil {
				return nil, err
			}
			command[i] = path
		}
	}
	_, err := exec.LookPath(command[0])
	return command, err
}
