package durability

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os/exec"
	"testing"
	"time"

	"parley/internal/torture"
)

// A powered server is one for which every kill is a power cut.
type powered struct {
	*torture.Process
	disk *disk
	rnd  *rand.Rand
	cuts int
}

func (p *powered) Start(ctx context.Context) (string, error) {
	p.disk.set(func(d *disk) { d.off = false })
	return p.Process.Start(ctx)
}

func (p *powered) Kill() error {
	p.cuts++
	p.disk.cut(p.rnd)
	return p.Process.Kill()
}

// onDisk returns a program of these tests on a disk that forgets, and its log.
func onDisk(t *testing.T, name string, seed uint64) (*powered, *bytes.Buffer) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	d, dir := mountDisk(t)
	log := &bytes.Buffer{}
	p := &powered{
		Process: &torture.Process{Program: program, Args: []string{"serve"}, Data: dir, Log: log},
		disk:    d,
		rnd:     rand.New(rand.NewPCG(seed, 0)),
	}
	t.Cleanup(func() {
		if err := p.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p, log
}

// cutPower runs a torture test with only power cuts, and returns its error.
func cutPower(t *testing.T, p *powered, seed uint64, length time.Duration) error {
	report, err := torture.Run(t.Context(), torture.Config{
		For: length, Round: length, Seed: seed, Faults: []string{"kill"}, Rate: 200, Subject: p,
		Evidence: t.ArtifactDir(),
	})
	var syncs int
	p.disk.set(func(d *disk) { syncs = d.syncs })
	t.Logf("seed %d: %d power cuts, %d syncs, %d acknowledgements, %d events compared", seed, p.cuts, syncs,
		report.Acks, report.Compared)
	if p.cuts == 0 || syncs == 0 || report.Acks == 0 {
		t.Errorf("hardly anything happened: %v", err)
	}
	return err
}

func TestNothingIsLostWhenThePowerGoes(t *testing.T) {
	needsTorture(t)
	length := 40 * time.Second
	if briefly {
		length = 8 * time.Second
	}
	seed := freshSeed(t)
	for name, tt := range map[string]struct {
		program string
		apart   bool
	}{
		"a disk with a journal":               {program: "parley"},
		"a disk where names go by themselves": {program: "parley", apart: true},
		"checkpoints all the time":            {program: "parley-checkpointing", apart: true},
	} {
		t.Run(name, func(t *testing.T) {
			if briefly {
				t.Parallel()
			}
			p, log := onDisk(t, tt.program, seed)
			p.disk.set(func(d *disk) { d.apart = tt.apart })
			if err := cutPower(t, p, seed, length); err != nil {
				t.Errorf("%v\nthe server's last words:\n%s", err, lastLines(log.String(), 20))
			}
		})
	}
}

// The checker must find the losses that must occur, so the disk forgets everything unsynced.
func TestLossIsFoundWhenThePowerGoes(t *testing.T) {
	needsTorture(t)
	for name, tt := range map[string]struct {
		program string
		lies    bool
	}{
		"commits that are not synced": {program: "parley-unsynced"},
		"a disk that lies":            {program: "parley", lies: true},
	} {
		t.Run(name, func(t *testing.T) {
			if briefly {
				t.Parallel()
			}
			p, _ := onDisk(t, tt.program, 1)
			if _, err := p.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := p.Stop(); err != nil { // the folder now exists
				t.Fatal(err)
			}
			p.disk.sync(nil)
			// A random part of what a lying disk kept would not be a database.
			p.disk.set(func(d *disk) { d.lies, d.forgets = tt.lies, true })
			err := cutPower(t, p, 1, 6*time.Second)
			broken, ok := errors.AsType[*torture.Broken](err)
			if !ok || broken.Found[0].Rule != torture.Lost {
				t.Errorf("found: %v", err)
			}
		})
	}
}
