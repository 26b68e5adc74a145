package flags

import "testing"

func TestTransfersAreANumberOrAuto(t *testing.T) {
	var n uint32 = 3
	v := orAuto(&n)
	for given, want := range map[string]uint32{"auto": 0, "1": 1, "65535": 65535} {
		if err := v.Set(given); err != nil || n != want || v.String() != given {
			t.Errorf("%q is %d, shown as %q: %v", given, n, v.String(), err)
		}
	}
	for _, given := range []string{"", "0", "-1", "65536", "many"} {
		if v.Set(given) == nil {
			t.Errorf("%q is taken", given)
		}
	}
}
