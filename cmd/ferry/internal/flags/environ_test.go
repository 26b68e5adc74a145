package flags

import "testing"

func TestVariablesThatAreNotForFerry(t *testing.T) {
	vars := map[string]string{
		"FERRY_MODEL_SEED": "1", "FERRY_TEST_CRASH": "full", "FERRY_KILLS": "3",
		// what Kubernetes sets beside a service called ferry
		"FERRY_SERVICE_HOST": "10.0.0.1", "FERRY_SERVICE_PORT": "21", "FERRY_SERVICE_PORT_FTP": "21",
		"FERRY_PORT": "tcp://10.0.0.1:21", "FERRY_PORT_21_TCP": "tcp://10.0.0.1:21", "FERRY_PORT_21_TCP_ADDR": "10.0.0.1",
		"FERRY_NAS_SERVICE_HOST": "10.0.0.2",
		// flags of one command do not bother another
		"FERRY_RC_ADDR": ":5572", "FERRY_CACHE_DIR": "/x", "OTHER": "1",
	}
	if err := checkVariables(vars); err != nil {
		t.Error(err)
	}
	if err := checkVariables(map[string]string{"FERRY_PORT": "2121"}); err == nil {
		t.Error("a port is set by no flag of that name")
	}
}
