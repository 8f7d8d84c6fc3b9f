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
	command    []string // what starts it; it prints "listening on URL" first
	address    string   // host:port of one that runs already
	protocol   protocol
	hasHistory bool // it has a history
	secure     bool // it speaks TLS, if the files of a certificate and its key follow the command
}

// parleyName is how Parley is called in tables: what the others are compared with.
const parleyName = "parley"

// peers are the servers of the folder bench/, from the floor upwards. Their
// commands are relative to it.
var peers = []Peer{
	{Name: "floor", command: []string{"bin/floor"}, protocol: plainProtocol{}, secure: true},
	{Name: "gorilla", command: []string{"bin/gorilla"}, protocol: plainProtocol{}},
	{Name: "gws", command: []string{"bin/gws"}, protocol: plainProtocol{}},
	{Name: "centrifuge", command: []string{"bin/centrifuge"}, protocol: centrifugeProtocol{}},
	{Name: "node-ws", command: []string{"node", "node-ws/server.js"}, protocol: plainProtocol{}, secure: true},
	{Name: "bun", command: []string{"bun/node_modules/@oven/bun-linux-x64/bin/bun", "bun/server.js"}, protocol: plainProtocol{}, secure: true},
}

// CheckPeers returns an error if one of names is no peer's.
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

// choosePeers returns those that are called for and can be started; missing says
// which cannot, and why. With TLS only those are chosen that speak it.
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

// located returns p's command with the paths in dir made absolute.
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
