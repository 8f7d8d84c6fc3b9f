// Package durability holds tests that break a server's surroundings from outside:
// disks, clocks, networks, power, hostile clients. Each starts the real program. It
// has no code besides its tests, and nothing may import it.
package durability
