package mcpserver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestFacts: descriptions are true of the server, whatever its options.
func TestFacts(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want map[string]string
	}{
		{Options{TextLimit: DefaultTextLimit}, map[string]string{
			"cwd": "Default: the server's own.", "output_limit": "1 MiB; -1 for all.", "max_bytes": "Default 32768; more than 1048576 is taken as that."}},
		{Options{Root: "/work", MaxOutput: 64 << 10, TextLimit: 1000}, map[string]string{
			"cwd": "/work or one below it", "output_limit": "Default 65536, at most 65536.", "max_bytes": "Default 1000; more than 1048576"}},
		{Options{MaxOutput: 16 << 20, TextLimit: 2 << 20}, map[string]string{
			"output_limit": "Default 1048576, at most 16777216.", "max_bytes": "Default 2097152; more than 2097152"}},
	} {
		start, output := paramsSchema[startParams](facts(test.o)), paramsSchema[outputParams](facts(test.o))
		for name, want := range test.want {
			p := start.Properties[name]
			if p == nil {
				p = output.Properties[name]
			}
			assert.Contains(t, p.Description, want, "%+v: %s", test.o, name)
			if test.o.MaxOutput > 0 {
				assert.NotContains(t, p.Description, "-1", "%+v: it tells of what is refused", test.o)
			}
		}
	}
}
