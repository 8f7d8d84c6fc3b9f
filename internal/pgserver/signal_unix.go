//go:build unix

package pgserver

import (
	"errors"
	"os/exec"
	"syscall"
)

// Kill ends all of the server's processes by SIGKILL, as a crash of its machine would.
func (s *Server) Kill() error {
	return errors.Join(s.signal(syscall.SIGKILL), s.end())
}

// Freeze stops all of the server's processes until Thaw. Their sockets stay open.
func (s *Server) Freeze() error { return s.signal(syscall.SIGSTOP) }

// Thaw lets the processes go on after Freeze.
func (s *Server) Thaw() error { return s.signal(syscall.SIGCONT) }

// signal sends a signal to all of the server's processes, the postmaster first.
func (s *Server) signal(sig syscall.Signal) error {
	pids := s.pids()
	if len(pids) == 0 {
		return errors.New("PostgreSQL has ended by itself")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// apart lets a command not get the Ctrl-C of this process's terminal: whoever uses the server ends first.
func apart(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func isRunning(pid int) bool { return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
