package objects_test

import (
	"testing"

	"ferry/remote/driver/internal/objects"
)

func TestPiecesAreFewWhereMemoryIsThere(t *testing.T) {
	const mib = 1 << 20
	for _, test := range []struct{ size, memory, want, pieces int64 }{
		{0, 25 * mib, 5 * mib, 0},
		{1, 25 * mib, 5 * mib, 1},
		{200 * mib, 25 * mib, 5 * mib, 40},
		{5000 * mib, 25 * mib, 5 * mib, 1000},
		{5000*mib + 1, 25 * mib, 6 * mib, 834},
		{5427 * mib, 25 * mib, 6 * mib, 905}, // 5.3 GiB
		{10000 * mib, 25 * mib, 10 * mib, 1000},
		{50 << 30, 25 * mib, 13 * mib, 3939},
		{50 << 30, 200 * mib, 52 * mib, 985},
		{1 << 40, 25 * mib, 105 * mib, 9987},
		{5 << 40, 25 * mib, 525 * mib, 9987},
	} {
		got := objects.Piece(test.size, 5*mib, test.memory, 10000)
		if pieces := (test.size + got - 1) / got; got != test.want || pieces != test.pieces {
			t.Errorf("%d bytes go in %d pieces of %d bytes, want %d of %d", test.size, pieces, got, test.pieces, test.want)
		}
	}
	if got := objects.Piece(1<<20, 1<<10, 4<<10, 10); got != 103<<10 {
		t.Errorf("in at most 10 pieces it goes in those of %d bytes", got)
	}
}
