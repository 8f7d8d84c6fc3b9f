package cli

import (
	"os"
	"slices"
	"strings"
)

// ownNames returns this machine's names: its host name, in full and without its domain, and the
// names beside it in the hosts file. Domains announced by the network (DHCP) are not included,
// because a foreign network may announce anything.
func ownNames() []string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return nil // then the machine has no name
	}
	hosts, err := os.ReadFile("/etc/hosts")
	if err != nil {
		hosts = nil // systems that keep the file elsewhere have fewer names
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
