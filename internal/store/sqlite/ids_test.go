package sqlite

import (
	"path/filepath"
	"testing"

	"parley/internal/chat"
)

// Go and SQL make and read ids alike.
func TestIDsAreTheSameInGoAndSQL(t *testing.T) {
	db := openSQLite(filepath.Join(t.TempDir(), "ids.db"), "rwc", "", nil)
	defer db.Close()
	text := "SELECT " + idSQL("$1", "$2") + ", " + seqSQL("$3") + ", " + roomSQL("$3") + ", " + inSQL("$3", "$1") +
		", " + endSQL("$1")
	for _, room := range []int64{1, 2, 77, maxRoom - 1} {
		for _, seq := range []chat.Seq{1, 2, 1 << 20, maxSeq} {
			id := eventID(room, seq)
			var sqlID, sqlRoom, end int64
			var sqlSeq chat.Seq
			var in bool
			must(t,
				db.QueryRowContext(t.Context(), text, room, int64(seq), id).Scan(&sqlID, &sqlSeq, &sqlRoom, &in, &end))
			if sqlID != id || sqlSeq != seq || seqOf(id) != seq || sqlRoom != room || !in || end != eventID(room+1, 0) {
				t.Errorf("event %d of room %d: id %d, in SQL %d, seq %d, room %d, in it %v, end %d", seq, room, id,
					sqlID, sqlSeq, sqlRoom, in, end)
			}
		}
	}
}
