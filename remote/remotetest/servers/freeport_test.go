package servers

import "testing"

// TestPortsAreGivenOnce asks for many ranges: no port is in two of them, until their test ends.
func TestPortsAreGivenOnce(t *testing.T) {
	one := 0
	t.Run("while it runs", func(t *testing.T) {
		const count = 60
		seen := map[int]bool{}
		for range 60 { // more than a fifth of all
			first := FreePorts(t, count)
			for port := first; port < first+count; port++ {
				if seen[port] {
					t.Fatalf("port %d is given twice", port)
				}
				seen[port] = true
			}
		}
		if one = FreePort(t); seen[one] {
			t.Errorf("port %d is given twice", one)
		}
		if hold(one, 1) != nil {
			t.Error("a port that is held is given")
		}
	})
	held := hold(one, 1)
	if held == nil {
		t.Error("a port is not given back")
	}
	closeAll(held)
}
