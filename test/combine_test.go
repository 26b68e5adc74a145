package test

import "testing"

// Below a directory of a combine remote a file is taken in as by the remote that is there, in every
// cache mode: what that would refuse is refused before the transfer.
func TestACombineRefusesWhatItsRemotesWould(t *testing.T) {
	s := startGateway(t)
	for _, mode := range []string{"off", "minimal", "writes", "full"} {
		t.Run(mode, func(t *testing.T) {
			env := append(s.environment("there", s.addr), "FERRY_VFS_CACHE_MODE="+mode, "FERRY_VFS_WRITE_BACK=0s",
				"RCLONE_CONFIG_BOTH_TYPE=combine", "RCLONE_CONFIG_BOTH_UPSTREAMS=keys=there:"+s.fresh(t)+" disk="+t.TempDir())
			_, addr := serveAt(t, "both:", env)
			c := login(t, "", addr)
			for _, dir := range []string{"keys", "disk"} {
				c.upload("STOR "+dir+"/y", []byte("x"))
				for _, command := range []string{"STOR y/z", "APPE y/a", "STOR y/a/b"} {
					c.do("CWD /"+dir, 250)
					c.do("EPSV", 229)
					c.do(command, 550)
				}
				c.do("MKD y/d", 550)
				c.do("CWD /", 250)
			}
			c.do("EPSV", 229)
			c.do("STOR disk/none/f", 550)
			c.do("EPSV", 229)
			c.do("STOR f", 550, 553)
			c.do("EPSV", 229)
			c.do("STOR disk", 550)
			c.upload("STOR keys/new/f", []byte("x"))
		})
	}
}
