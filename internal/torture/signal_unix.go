//go:build unix

package torture

import (
	"fmt"
	"syscall"
)

// freeze stops the program until thaw. Its sockets stay open.
func (p *Process) freeze() error { return p.signal(syscall.SIGSTOP) }

// thaw lets the program go on.
func (p *Process) thaw() error { return p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal the server: %w", err)
	}
	return nil
}
