package torture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// SetClock writes the offset of a program's clock from the true time to a file that the program
// reads: eight bytes in the machine's order, a number of seconds.
func SetClock(path string, wrong time.Duration) error {
	b := binary.NativeEndian.AppendUint64(nil, uint64(wrong/time.Second))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o600) // not truncated: the program has mapped the file
	if err != nil {
		return fmt.Errorf("set a clock: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(b, 0); err != nil {
		return fmt.Errorf("set a clock: %w", err)
	}
	return nil
}

// misset makes the program's clock jump: an hour back, an hour ahead, or to the true time.
func (p *Process) misset(rnd *rand.Rand) error {
	return SetClock(p.Clock, time.Duration(rnd.IntN(3)-1)*time.Hour)
}
