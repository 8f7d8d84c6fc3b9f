package cli

import (
	"os"
	"slices"
	"strings"
)

// ownNames returns what this machine is called: its host name, in full and
// without its domain, and what the file of hosts has beside it. What the network
// says (the domains of DHCP) is left out: a foreign network may say anything.
func ownNames() []string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return nil // then it has no name to be asked for by
	}
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		hosts = nil // a system that has it elsewhere: there are only fewer names
	}
	return namesOf(host, string(hosts))
}

func namesOf(host, hosts string) []string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	first, _, _ := strings.Cut(host, ".")
	names := []string{host, first}
	for line := range strings.Lines(hosts) {
		line, _, _ = strings.Cut(strings.ToLower(line), "#")
		fields := strings.Fields(line) // an address, then names
		if len(fields) > 1 && (slices.Contains(fields[1:], host) || slices.Contains(fields[1:], first)) {
			names = append(names, fields[1:]...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
