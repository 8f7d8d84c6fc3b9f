// Package netns makes networks of simulated machines on this one, for torture and for trying a cluster: each machine is
// a network namespace of Linux, and packet filters cut them off from each other. Start reading at New.
//
// It knows nothing of what the machines run.
package netns

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"
)

// ErrNone says that there are no network namespaces here: the system is not Linux or lacks a part for them, this
// process is not root or not allowed to make them, or ip or nft is not installed.
var ErrNone = errors.New("no network namespaces here")

// A Network is machines that reach each other, and that this machine reaches. Its namespaces have no names: they end
// with this process, or with the last of their own processes, however those end. All machines of a nil Network are this
// machine.
type Network struct {
	middle   *os.File // the namespace of the bridge between all machines
	link     string   // this machine's interface to the bridge
	subnet   netip.Prefix
	machines []*Machine
}

// A Machine is a network namespace with an address of its own. A nil one is this machine, with its loopback interface.
type Machine struct {
	namespace *os.File
	address   netip.Addr
}

const loopback = "127.0.0.1"

// New makes a network without machines. The error is ErrNone, with the reason, if that is not possible here. Close
// removes the network.
func New() (*Network, error) {
	n := &Network{link: fmt.Sprintf("parley%08x", rand.Uint32())}
	if err := n.open(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, errors.Join(err, n.Close()))
	}
	return n, nil
}

// open makes the bridge and connects this machine to it.
func (n *Network) open() (err error) {
	for _, program := range []string{"ip", "nft"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	if n.middle, err = newNamespace(); err != nil {
		return err
	}
	if err := setFilter(n.middle, filter); err != nil { // only to see whether it can
		return err
	}
	if err := ip(nil, "link add "+n.link+" type veth peer name outside netns "+path(n.middle)); err != nil {
		return err
	}
	if err := ip(n.middle, "link add bridge type bridge", "link set bridge up",
		"link set outside master bridge up"); err != nil {
		return err
	}
	if err := n.takeSubnet(); err != nil {
		return err
	}
	return n.awaitLink(n.link, nil, "outside")
}

// takeSubnet gives this machine the first address of a subnet in which it has no other address. The block is that of
// tests between networks (RFC 2544 appendix C.2.2), which nobody else should use.
func (n *Network) takeSubnet() error {
	for range 20 {
		subnet := netip.PrefixFrom(netip.AddrFrom4([4]byte{198, byte(18 + rand.IntN(2)), byte(rand.IntN(256)), 0}), 24)
		own := fmt.Sprint(subnet.Addr().Next(), "/24")
		if err := ip(nil, "address add "+own+" dev "+n.link, "link set "+n.link+" up"); err != nil {
			return err
		}
		// Looked at only now: another process may take one at the same time.
		if times, err := addressesIn(subnet); err != nil || times == 1 {
			n.subnet = subnet
			return err
		}
		if err := ip(nil, "address delete "+own+" dev "+n.link); err != nil {
			return err
		}
	}
	return errors.New("no free subnet in 198.18.0.0/15")
}

// addressesIn returns how many addresses in a subnet this machine has.
func addressesIn(subnet netip.Prefix) (times int, err error) {
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && subnet.Overlaps(p) {
			times++
		}
	}
	return times, err
}

// Address returns the address of this machine in the network.
func (n *Network) Address() string {
	if n == nil {
		return loopback
	}
	return n.subnet.Addr().Next().String()
}

// filter is the packet filter of a machine: the senders in its sets are cut off. A reset passes, because it is how the
// other side rejects.
const filter = `
table ip parley {
	set drop_from { type ipv4_addr; }
	set reject_from { type ipv4_addr; }
	chain arriving {
		type filter hook input priority 0; policy accept;
		ip saddr @drop_from drop
		ip saddr @reject_from tcp flags & rst == rst accept
		ip saddr @reject_from meta l4proto tcp reject with tcp reset
		ip saddr @reject_from drop
	}
}
`

// NewMachine adds a machine.
func (n *Network) NewMachine() (*Machine, error) {
	if n == nil {
		return nil, nil
	}
	namespace, err := newNamespace()
	if err != nil {
		return nil, err
	}
	number := 11 + len(n.machines)
	port, base := fmt.Sprint("port", number), n.subnet.Addr().As4()
	base[3] = byte(number)
	m := &Machine{namespace, netip.AddrFrom4(base)}
	n.machines = append(n.machines, m)
	if err := ip(n.middle, "link add "+port+" type veth peer name eth0 netns "+path(namespace),
		"link set "+port+" master bridge up"); err != nil {
		return nil, err
	}
	if err := ip(namespace, "link set lo up", fmt.Sprint("address add ", m.address, "/24 dev eth0"),
		"link set eth0 up"); err != nil {
		return nil, err
	}
	if err := n.awaitLink("eth0", namespace, port); err != nil {
		return nil, err
	}
	return m, setFilter(namespace, filter)
}

// awaitLink returns when an interface in a namespace and its port of the bridge pass packets on: the kernel lets them a
// moment after they were set up, and loses what comes earlier.
func (n *Network) awaitLink(link string, namespace *os.File, port string) error {
	for range 1000 {
		near, err1 := run(namespace, "", "ip", "link", "show", "dev", link)
		far, err2 := run(n.middle, "", "ip", "-details", "link", "show", "dev", port)
		if err1 != nil || err2 != nil {
			return errors.Join(err1, err2)
		}
		if strings.Contains(near, "state UP") && strings.Contains(far, "state forwarding") {
			return nil
		}
		time.Sleep(5 * time.Millisecond)
	}
	return fmt.Errorf("%s and %s pass nothing on", link, port)
}

// Close removes the network. Processes that still run in it are cut off from everything.
func (n *Network) Close() error {
	if n == nil || n.middle == nil {
		return nil
	}
	var err error
	if n.subnet.IsValid() { // otherwise the link, if there is one, ends with the bridge's namespace
		err = ip(nil, "link delete "+n.link)
	}
	for _, m := range n.machines {
		err = errors.Join(err, m.namespace.Close())
	}
	return errors.Join(err, n.middle.Close())
}

// Address returns where the machine is reached.
func (m *Machine) Address() string {
	if m == nil {
		return loopback
	}
	return m.address.String()
}

// Do calls f in the machine's network: sockets that f makes, without goroutines of its own, and processes that it
// starts belong to the machine for good.
func (m *Machine) Do(f func() error) error {
	if m == nil {
		return f()
	}
	return within(m.namespace, f)
}

// A Cut is a way of not letting packets arrive.
type Cut string

const (
	Drop   Cut = "drop"   // silently
	Reject Cut = "reject" // with a reset for the sender, if the packet is TCP's
)

// CutFrom lets no packet arrive that another machine sends, until Heal. The other direction stays as it is.
func (m *Machine) CutFrom(sender *Machine, how Cut) error {
	return setFilter(m.namespace, fmt.Sprintf("add element ip parley %s_from { %s }", how, sender.address))
}

// Heal lets all packets arrive again.
func (m *Machine) Heal() error {
	return setFilter(m.namespace, "flush set ip parley drop_from\nflush set ip parley reject_from")
}

// ip runs commands of the program ip in a namespace; nil: that of this process.
func ip(namespace *os.File, commands ...string) error {
	_, err := run(namespace, strings.Join(commands, "\n"), "ip", "-batch", "-")
	return err
}

// setFilter changes the packet filter of a namespace.
func setFilter(namespace *os.File, text string) error {
	_, err := run(namespace, text, "nft", "-f", "-")
	return err
}

// run runs a program in a namespace until it ends, and returns what it says.
func run(namespace *os.File, input string, command ...string) (string, error) {
	program := exec.Command(command[0], command[1:]...)
	var said bytes.Buffer
	program.Stdin, program.Stdout, program.Stderr = strings.NewReader(input), &said, &said
	start := program.Start
	if namespace != nil {
		start = func() error { return within(namespace, program.Start) }
	}
	err := start()
	if err == nil {
		err = program.Wait()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, strings.TrimSpace(said.String()))
	}
	return said.String(), nil
}

// path returns a path by which other processes can open a namespace.
func path(namespace *os.File) string {
	return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), namespace.Fd())
}
