package flags

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPprofByName(t *testing.T) {
	for host, want := range map[string]int{
		"localhost:6060": http.StatusOK, "127.0.0.1:6060": http.StatusOK, "[::1]:6060": http.StatusOK, "localhost": http.StatusOK,
		"example.org:6060": http.StatusForbidden, "192.0.2.1:6060": http.StatusForbidden, "": http.StatusForbidden,
	} {
		r := httptest.NewRequest("GET", "/debug/pprof/cmdline", nil)
		r.Host = host
		w := httptest.NewRecorder()
		profiles().ServeHTTP(w, r)
		assert.Equal(t, want, w.Code, "%q", host)
	}
}

func TestPprofListensOnThisMachineOnly(t *testing.T) {
	for address, want := range map[string]string{
		"0.0.0.0:0":        "loopback",
		":0":               "loopback",
		"[::]:0":           "loopback",
		"192.0.2.1:0":      "loopback",
		"localhost":        "missing port",
		"localhost:http:x": "too many colons",
		"127.0.0.1:99999":  "invalid port",
	} {
		listener, err := listenLoopback(address)
		if err == nil {
			listener.Close()
		}
		assert.ErrorContains(t, err, want, "%q", address)
	}
}
