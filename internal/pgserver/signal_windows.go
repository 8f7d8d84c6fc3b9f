package pgserver

import (
	"errors"
	"os/exec"
)

// Kill, Freeze and Thaw are for systems with signals. Start finds no server here.

func (s *Server) Kill() error   { return errors.ErrUnsupported }
func (s *Server) Freeze() error { return errors.ErrUnsupported }
func (s *Server) Thaw() error   { return errors.ErrUnsupported }

func apart(*exec.Cmd) {}

func isRunning(int) bool { return false }
