package torture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// SetClock writes to a file how far the clock of a program that looks there is
// from the true time: eight bytes, a number of seconds in the machine's order.
func SetClock(path string, wrong time.Duration) error {
	b := binary.NativeEndian.AppendUint64(nil, uint64(wrong/time.Second))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600) // not made anew: the program has it in its memory
	if err != nil {
		return fmt.Errorf("set a clock: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, 0); err != nil {
		return fmt.Errorf("set a clock: %w", err)
	}
	return nil
}

// misset has the program's clock jump: an hour back, an hour ahead of the true
// time, or to that.
func (p *Process) misset(rnd *rand.Rand) error {
	return SetClock(p.Clock, time.Duration(rnd.IntN(3)-1)*time.Hour)
}
