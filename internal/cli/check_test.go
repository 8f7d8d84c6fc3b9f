package cli

import (
	"bytes"
	"os"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptDamage overwrites most pages of a database, all but the first.
func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage file")
	}
	const page = 4096
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	defer f.Close()
	info, err := f.Stat()
	ts.Check(err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xfa}, int(info.Size())-page), page)
	ts.Check(err)
}
