package main

import (
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"parley/internal/torture"
)

const dataFile = "parley.db"

// Ailments returns how a disk can fail under a server.
func (p *powered) Ailments() []torture.Ailment {
	heal := func(*rand.Rand) error {
		p.disk.set(func(d *disk) { d.noWrite, d.only, d.noSync = 0, "", 0 })
		return nil
	}
	fail := func(change func(*disk)) func(*rand.Rand) error {
		return func(*rand.Rand) error {
			p.disk.set(change)
			return nil
		}
	}
	return []torture.Ailment{
		{Name: "nospace", Begin: fail(func(d *disk) { d.noWrite = syscall.ENOSPC }), End: heal},
		{Name: "readonly", Begin: fail(func(d *disk) { d.noWrite = syscall.EROFS }), End: heal},
		{Name: "readonlyfile", Begin: fail(func(d *disk) { d.noWrite, d.only = syscall.EROFS, dataFile }), End: heal},
		{Name: "failingsync", Begin: fail(func(d *disk) { d.noSync = syscall.EIO }), End: heal, Over: p.endSomehow},
		{Name: "failingsyncs", Begin: fail(func(d *disk) { d.noSync = syscall.EIO }), End: heal, Over: p.Process.Kill},
	}
}

// endSomehow ends the server: it is asked to, the power goes, or it is killed.
func (p *powered) endSomehow() error {
	ways := []func() error{p.Stop, p.Kill, p.Process.Kill}
	return ways[p.rnd.IntN(len(ways))]()
}

func TestNothingIsLostOnADiskThatFails(t *testing.T) {
	needsTorture(t)
	seed := uint64(time.Now().UnixNano())
	for name, faults := range map[string][]string{
		"a full disk":                    {"nospace"},
		"a disk that cannot be written":  {"readonly"},
		"a file that cannot be written":  {"readonlyfile", "kill"},
		"a disk that fails to sync":      {"failingsync"},
		"one that is started again":      {"failingsyncs", "kill"},
		"all of it, and the power fails": {"nospace", "readonly", "readonlyfile", "failingsync", "kill"},
	} {
		t.Run(name, func(t *testing.T) {
			program := "parley-checkpointing"
			if slices.Contains(faults, "failingsyncs") {
				program = "parley"
			}
			p, log := onDisk(t, program, seed)
			report, err := torture.Run(t.Context(), torture.Config{
				For: 10 * time.Second, Round: 5 * time.Second, Seed: seed, Faults: faults, Rate: 200, Subject: p, Evidence: t.ArtifactDir(),
			})
			t.Logf("seed %d: %d power cuts, %+v", seed, p.cuts, report)
			if err != nil {
				t.Errorf("%v\nthe server's last words:\n%s", err, lastLines(log.String(), 20))
			}
			if len(report.Back) < 2 || report.Acks == 0 {
				t.Error("hardly anything happened")
			}
		})
	}
}
