package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"parley/internal/await"
	"parley/internal/chat"
	"parley/internal/store/storetest"
)

// smallDisk returns a folder that is a disk of its own, of so many bytes.
func smallDisk(t *testing.T, bytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("parley-test", dir, "tmpfs", 0, fmt.Sprintf("mode=0700,size=%d", bytes)); err != nil {
		t.Skipf("no disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk takes all room that a disk has left, to the last byte.
func fillDisk(t *testing.T, dir string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "filler"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	for block := make([]byte, 1<<16); len(block) > 0; {
		if _, err := f.Write(block); err != nil {
			if !errors.Is(err, unix.ENOSPC) {
				t.Fatal(err)
			}
			block = block[:len(block)/2]
		}
	}
	must(t, f.Close())
}

func emptyDisk(t *testing.T, dir string) {
	t.Helper()
	must(t, os.Remove(filepath.Join(dir, "filler")))
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0
	}
	must(t, err)
	return info.Size()
}

// On a disk without a free byte nothing can be said and everything can be deleted,
// for good, and when there is room again all goes on as before.
func TestFullDiskTakesDeletions(t *testing.T) {
	for name, long := range map[string]bool{"short texts": false, "long texts": true} {
		t.Run(name, func(t *testing.T) {
			disk := smallDisk(t, 40<<20)
			s, stop := start(t, filepath.Join(disk, "data"))
			const n = 300
			secret := "particular words "
			if long {
				secret = strings.Repeat("particular words ", 230)
			}
			var said []chat.Draft
			for i := range n {
				said = append(said, draft("lobby", ada, fmt.Sprint(secret, i), ""))
			}
			do(t, s, said...)
			do(t, s, copying(grace, "garden", chat.MessageRef{Room: "lobby", Seq: 1}, secret))
			reserve := filepath.Join(s.dir, reserveName)
			if size := sizeOf(t, reserve); size != reserveSize {
				t.Fatalf("%d bytes are kept, want %d", size, reserveSize)
			}
			fillDisk(t, disk)

			// The write-ahead log may have room from before for something small.
			for i := 0; ; i++ {
				if c := post(t, s,
					draft("lobby", ada, strings.Repeat("x", 3000), ""))[0]; chat.CodeOf(c.Err) == chat.Unavailable {
					break
				}
				if i == 20_000 {
					t.Fatal("the disk does not become full")
				}
			}
			refused := 0
			for i := range n {
				fillDisk(t, disk)
				got := post(t, s, draft("lobby", ada, strings.Repeat("x", 3000), ""),
					draftOf(ada, chat.Delete, chat.Seq(i+1), ""), draft("attic", ada, strings.Repeat("x", 3000), ""))
				if got[1].Err != nil {
					t.Fatalf("deletion %d: %v", i+1, got[1].Err)
				}
				for _, c := range []chat.Commit{got[0], got[2]} {
					if chat.CodeOf(c.Err) == chat.Unavailable && c.Event == (chat.Event{}) {
						refused++
					} else if c.Err != nil {
						t.Errorf("beside it: %+v", c)
					}
				}
			}
			if refused < n { // the others found room in what the deletions had freed
				t.Errorf("of %d messages on a full disk only %d were refused", 2*n, refused)
			}
			if made := storetest.DeleteCopies(t, s); len(made) != 1 {
				t.Errorf("%d copies were deleted, want 1", len(made))
			}
			fillDisk(t, disk)
			if err := s.Healthy(t.Context()); err == nil {
				t.Error("a full disk is said to be well")
			}
			if size := sizeOf(t, reserve); size < reserveSize/2 {
				t.Errorf("of what is kept %d bytes are left", size)
			}
			for _, e := range page(t, s.After, "lobby", 0, n) {
				if e.Text != "" {
					t.Errorf("%d still says something", e.Seq)
				}
			}
			s.committer.Nudge() // the quiet minute
			await.True(t, "the write-ahead log is empty",
				func() bool { return sizeOf(t, filepath.Join(s.dir, databaseName+"-wal")) == 0 })
			for _, name := range folderNames(t, s.dir) {
				b, err := os.ReadFile(filepath.Join(s.dir, name))
				must(t, err)
				if bytes.Contains(b, []byte("particular words")) {
					t.Errorf("%s still holds a deleted text", name)
				}
			}

			stop() // and on the full disk it starts again
			s, stop = start(t, s.dir)
			do(t, s, draftOf(ada, chat.Delete, 1, ""))
			emptyDisk(t, disk)
			do(t, s, draft("lobby", ada, "after", ""))
			s.committer.Nudge()
			await.True(t, "the room for deletions is whole again",
				func() bool { return sizeOf(t, reserve) == reserveSize })
			stop()
			s, _ = start(t, s.dir)
			do(t, s, draft("lobby", ada, "and after a restart", ""))
		})
	}
}

// On a small disk half of what is free is left to others, and a start on a full disk
// is made possible by what was kept.
func TestReserveLeavesHalfOfWhatIsFree(t *testing.T) {
	disk := smallDisk(t, 6<<20)
	s, stop := start(t, filepath.Join(disk, "data"))
	do(t, s, draft("lobby", ada, "hi", ""))
	reserve := filepath.Join(s.dir, reserveName)
	size := sizeOf(t, reserve)
	if size < 2<<20 || size > 3<<20 {
		t.Errorf("%d bytes are kept on a disk of 6 MiB", size)
	}
	stop()
	fillDisk(t, disk)
	if _, err := NewRollback(t.Context(), s.dir, ""); err == nil {
		t.Error("a folder without a copy can go back")
	}
	if left := sizeOf(t, reserve); left != size {
		t.Errorf("after a look at the folder %d bytes are kept, of %d", left, size)
	}
	s, stop = start(t, s.dir)
	do(t, s, draftOf(ada, chat.Delete, 1, ""))
	if left := sizeOf(t, reserve); left < size-1<<20 || left > size {
		t.Errorf("after a start on the full disk %d bytes are kept, of %d", left, size)
	}
	stop()
	emptyDisk(t, disk)
	s, _ = start(t, s.dir)
	do(t, s, draft("lobby", ada, "after", ""))
}

// Without room for a copy an upgrade is refused with a sentence, and nothing has been
// changed or left behind.
func TestUpgradeIsRefusedWithoutRoomForACopy(t *testing.T) {
	const size = 5 << 19
	disk := smallDisk(t, size)
	dir := filepath.Join(disk, "data")
	must(t, os.Mkdir(dir, 0o700))
	old := oldFolder(t, 20_000, "Ada")
	b, err := os.ReadFile(filepath.Join(old, databaseName))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, databaseName), b, 0o600))
	if left := size - len(b); left > len(b) {
		t.Fatalf("a database of %d bytes does not fill the disk", len(b))
	}
	_, err = Open(t.Context(), Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "no room for a copy") ||
		!strings.Contains(err.Error(), "--upgrade-without-copy") {
		t.Errorf("error = %v", err)
	}
	if version, _ := schemaIn(t, dir); version != 2 {
		t.Errorf("schema %d, want 2", version)
	}
	if copies := copiesIn(t, dir); len(copies) > 0 {
		t.Errorf("copies: %v", copies)
	}
}
