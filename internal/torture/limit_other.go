//go:build !linux

package torture

import (
	"errors"
	"syscall"
)

func limitFiles(int, int64) error { return errors.ErrUnsupported }

func smallSegments(_, _ string, _ syscall.RawConn) error { return nil }

// MountDisk is for systems that let a program make a disk.
func MountDisk(string) (unmount func() error, err error) { return nil, errors.ErrUnsupported }

func (p *Process) fill() error  { return errors.ErrUnsupported }
func (p *Process) empty() error { return errors.ErrUnsupported }
