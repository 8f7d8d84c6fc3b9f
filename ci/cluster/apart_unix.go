//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// apart lets a command not get the Ctrl-C of this process's terminal: group.end asks it to end.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
